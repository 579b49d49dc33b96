//! Returns a page of the caller's rooms, latest first, with unread counts.

use std::collections::HashMap;

use protocol::chat::{Entry, Member, Room};
use protocol::ids::{Participant, RoomId, Seq};
use protocol::language::Language;
use protocol::wire::replies::RoomListPage;
use protocol::wire::{ENVELOPE_RESERVE, PAGE_LIMIT, RoomView, fit, requests};
use shared::adapters::dynamodb::{ListPosition, Log, Members, Rooms};
use shared::error::Error;
use shared::runtime::{Caller, Route};

use crate::cursor;

pub struct GetRoomList {
    pub rooms: Rooms,
    pub members: Members,
    pub log: Log,
}

impl Route for GetRoomList {
    type Request = requests::GetRoomList;
    type Reply = RoomListPage;

    async fn handle(&self, caller: &Caller, request: requests::GetRoomList) -> Result<RoomListPage, Error> {
        // Only a hospital's many consults are indexed by status; a user's few rooms are filtered here.
        let indexed_status = request.status.filter(|_| caller.participant().is_hospital());
        let start = request.cursor.as_deref().map(cursor::decode).transpose()?;
        let page = self.members.list(caller.participant(), indexed_status, start.as_ref(), request.limit.get()).await?;
        let mut views = self.views(caller.participant(), &page.rows).await?;
        self.translate_previews(caller, &mut views).await?;
        let shown = views.iter().filter(|listed| request.status.is_none_or(|status| listed.room.status == status));
        let (mut rooms, _) = fit(shown.clone().map(|listed| listed.view.clone()), PAGE_LIMIT - ENVELOPE_RESERVE);
        // A page that was cut for size ends at its last room; otherwise everything that was read has been considered.
        let cut = rooms.len() < shown.clone().count();
        let reached = if cut { shown.map(|listed| listed.position).nth(rooms.len() - 1) } else { page.rows.last() };
        let next_cursor = reached.filter(|_| cut || page.more).map(cursor::encode);
        // The index is up to a minute behind; the rooms' heads are current.
        rooms.sort_by_key(|room| std::cmp::Reverse(room.updated_at));
        Ok(RoomListPage { rooms, next_cursor })
    }
}

impl GetRoomList {
    /// The rooms of a page as their member sees them, in the page's order.
    async fn views<'a>(&self, own: &Participant, page: &'a [ListPosition]) -> Result<Vec<ListedRoom<'a>>, Error> {
        let ids: Vec<RoomId> = page.iter().map(|position| position.room_id.clone()).collect();
        let counterparts = ids.iter().filter_map(|room| Some((room.clone(), room.counterpart(own)?)));
        let keys: Vec<_> = ids.iter().map(|room| (room.clone(), own.clone())).chain(counterparts).collect();
        let (rooms, members) = tokio::try_join!(self.rooms.get_all(&ids), self.members.get_all(&keys, false))?;
        let mut rooms: HashMap<RoomId, Room> = rooms.into_iter().map(|room| (room.room_id.clone(), room)).collect();
        let (own, counterparts): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.participant == *own);
        let by_room = |members: Vec<&'_ Member>| -> HashMap<_, _> {
            members.into_iter().map(|member| (member.room_id.clone(), member.clone())).collect()
        };
        let own = by_room(own);
        let counterparts = by_room(counterparts);
        let views = page.iter().filter_map(|position| {
            let room = rooms.remove(&position.room_id)?;
            let own = own.get(&position.room_id)?;
            let view = RoomView::new(&room, own, counterparts.get(&position.room_id));
            // Staff read what they read, whatever their hospital does.
            let reader = own.language.clone().filter(|_| !own.participant.is_hospital());
            Some(ListedRoom { position, room, view, reader })
        });
        Ok(views.collect())
    }

    /// Adds the translations of the newest texts that their reader cannot read. They are read from the log, so that a
    /// translation needs no second write to the room.
    async fn translate_previews(&self, caller: &Caller, rooms: &mut [ListedRoom<'_>]) -> Result<(), Error> {
        let needed: Vec<(RoomId, Seq)> = rooms
            .iter()
            .filter_map(|listed| {
                let text = listed.room.last_message.as_ref()?;
                let reader = listed.reader.as_ref().or(caller.language.as_ref())?;
                let is_readable = text.language.as_ref().is_some_and(|language| language.reads_like(reader));
                (!is_readable).then(|| (listed.room.room_id.clone(), text.seq))
            })
            .collect();
        let entries = self.log.entries(needed.iter().map(|(room, seq)| (room, *seq))).await?;
        let entries: HashMap<&RoomId, &Entry> = entries.iter().map(|entry| (&entry.room_id, entry)).collect();
        for listed in rooms {
            let reader = listed.reader.as_ref().or(caller.language.as_ref());
            let entry = entries.get(&listed.room.room_id);
            if let (Some(reader), Some(entry), Some(preview)) = (reader, entry, &mut listed.view.last_message) {
                preview.translate(entry, reader);
            }
        }
        Ok(())
    }
}

/// A room of the page.
#[derive(Clone)]
struct ListedRoom<'a> {
    position: &'a ListPosition,
    room: Room,
    view: RoomView,
    /// What its member reads there, if the room knows better than the token.
    reader: Option<Language>,
}
