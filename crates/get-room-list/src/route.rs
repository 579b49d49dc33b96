//! When somebody asks for their rooms, then they get a page of them, latest first, with what is unread.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use shared::chat::{Member, Room, RoomStatus};
use shared::error::Error;
use shared::ids::{Participant, RoomId};
use shared::runtime::{Caller, Route};
use shared::table::{ListPosition, Members, MembersPage, Rooms};
use shared::wire::{ENVELOPE_RESERVE, PAGE_LIMIT, PageSize, RoomView, fit};

use crate::cursor::Cursor;

/// The route and its doors.
pub struct GetRoomList {
    pub rooms: Rooms,
    pub members: Members,
}

#[derive(Deserialize)]
pub struct Request {
    status: Option<RoomStatus>,
    #[serde(default)]
    limit: PageSize,
    cursor: Option<Cursor>,
}

#[derive(Serialize)]
pub struct Reply {
    rooms: Vec<RoomView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Cursor>,
}

impl Route for GetRoomList {
    type Request = Request;
    type Reply = Reply;

    async fn answer(&self, caller: &Caller, request: Request) -> Result<Reply, Error> {
        // Only a hospital has so many consults that they are filed by status; a user's few are looked through.
        let filed = request.status.filter(|_| caller.participant().is_hospital());
        let start = request.cursor.map(|cursor| cursor.0);
        let page = self.members.list(caller.participant(), filed, start.as_ref(), request.limit.get()).await?;
        let views = self.views(caller.participant(), &page).await?;
        let shown = views.iter().filter(|(_, room, _)| request.status.is_none_or(|status| room.status == status));
        let (mut rooms, _) = fit(shown.clone().map(|(_, _, view)| view.clone()), PAGE_LIMIT - ENVELOPE_RESERVE);
        // A page that became too large ends at its last room; else all that was read has been looked at.
        let cut = rooms.len() < shown.clone().count();
        let reached = if cut { shown.map(|(member, ..)| *member).nth(rooms.len() - 1) } else { page.members.last() };
        let next_cursor = reached.filter(|_| cut || page.has_more).map(|member| {
            Cursor(ListPosition { room_id: member.room_id.clone(), last_activity: member.last_activity })
        });
        // The index is up to a minute behind; the heads are not.
        rooms.sort_by_key(|room| std::cmp::Reverse(room.updated_at));
        Ok(Reply { rooms, next_cursor })
    }
}

impl GetRoomList {
    /// The rooms of a page as their member sees them, in the page's order.
    async fn views<'a>(
        &self,
        own: &Participant,
        page: &'a MembersPage,
    ) -> Result<Vec<(&'a Member, Room, RoomView)>, Error> {
        let ids: Vec<RoomId> = page.members.iter().map(|member| member.room_id.clone()).collect();
        let seats: Vec<_> = ids.iter().filter_map(|room| Some((room.clone(), room.counterpart(own)?))).collect();
        let (rooms, counterparts) = tokio::try_join!(self.rooms.get_all(&ids), self.members.get_all(&seats, false))?;
        let mut rooms: HashMap<RoomId, Room> = rooms.into_iter().map(|room| (room.room_id.clone(), room)).collect();
        let counterparts: HashMap<_, _> = counterparts.iter().map(|member| (&member.room_id, member)).collect();
        let views = page.members.iter().filter_map(|member| {
            let room = rooms.remove(&member.room_id)?;
            let view = RoomView::new(&room, member, counterparts.get(&member.room_id).copied());
            Some((member, room, view))
        });
        Ok(views.collect())
    }
}
