//! When somebody asks for their rooms, then they get a page of them, latest first, with what is unread.

use std::collections::HashMap;

use protocol::chat::{Member, Room};
use protocol::ids::{Participant, RoomId};
use protocol::wire::replies::RoomListPage;
use protocol::wire::{ENVELOPE_RESERVE, PAGE_LIMIT, RoomView, fit, requests};
use shared::adapters::dynamodb::{ListPosition, Members, Rooms};
use shared::error::Error;
use shared::runtime::{Caller, Route};

use crate::cursor;

pub struct GetRoomList {
    pub rooms: Rooms,
    pub members: Members,
}

impl Route for GetRoomList {
    type Request = requests::GetRoomList;
    type Reply = RoomListPage;

    async fn handle(&self, caller: &Caller, request: requests::GetRoomList) -> Result<RoomListPage, Error> {
        // Only a hospital has so many consults that they are filed by status; a user's few are looked through.
        let filed = request.status.filter(|_| caller.participant().is_hospital());
        let start = request.cursor.as_deref().map(cursor::read).transpose()?;
        let page = self.members.list(caller.participant(), filed, start.as_ref(), request.limit.get()).await?;
        let views = self.views(caller.participant(), &page.rows).await?;
        let shown = views.iter().filter(|(_, room, _)| request.status.is_none_or(|status| room.status == status));
        let (mut rooms, _) = fit(shown.clone().map(|(_, _, view)| view.clone()), PAGE_LIMIT - ENVELOPE_RESERVE);
        // A page that became too large ends at its last room; else all that was read has been looked at.
        let cut = rooms.len() < shown.clone().count();
        let reached = if cut { shown.map(|(place, ..)| *place).nth(rooms.len() - 1) } else { page.rows.last() };
        let next_cursor = reached.filter(|_| cut || page.more).map(cursor::written);
        // The index is up to a minute behind; the heads are not.
        rooms.sort_by_key(|room| std::cmp::Reverse(room.updated_at));
        Ok(RoomListPage { rooms, next_cursor })
    }
}

impl GetRoomList {
    /// The rooms of a page as their member sees them, in the page's order.
    async fn views<'a>(
        &self,
        own: &Participant,
        page: &'a [ListPosition],
    ) -> Result<Vec<(&'a ListPosition, Room, RoomView)>, Error> {
        let ids: Vec<RoomId> = page.iter().map(|place| place.room_id.clone()).collect();
        let counterparts = ids.iter().filter_map(|room| Some((room.clone(), room.counterpart(own)?)));
        let keys: Vec<_> = ids.iter().map(|room| (room.clone(), own.clone())).chain(counterparts).collect();
        let (rooms, members) = tokio::try_join!(self.rooms.get_all(&ids), self.members.get_all(&keys, false))?;
        let mut rooms: HashMap<RoomId, Room> = rooms.into_iter().map(|room| (room.room_id.clone(), room)).collect();
        let (own, counterparts): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.participant == *own);
        let by_room = |members: Vec<&'_ Member>| -> HashMap<_, _> {
            members.into_iter().map(|member| (member.room_id.clone(), member.clone())).collect()
        };
        let (own, counterparts) = (by_room(own), by_room(counterparts));
        let views = page.iter().filter_map(|place| {
            let room = rooms.remove(&place.room_id)?;
            let view = RoomView::new(&room, own.get(&place.room_id)?, counterparts.get(&place.room_id));
            Some((place, room, view))
        });
        Ok(views.collect())
    }
}
