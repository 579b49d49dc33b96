//! When a client says how far it has come in its rooms, then it gets what is newer. This is also its heartbeat.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use protocol::access::{Action, Relation};
use protocol::chat::Entry;
use protocol::ids::{Mark, RoomId, Seq};
use protocol::wire::replies::{NewerEntries, Synced};
use protocol::wire::{ENVELOPE_RESERVE, MessageView, PAGE_LIMIT, Refusal, fit, json_len, requests};
use shared::adapters::dynamodb::{Log, Members, Rooms};
use shared::error::Error;
use shared::runtime::{Caller, Route};

pub struct Sync {
    pub rooms: Rooms,
    pub members: Members,
    pub log: Log,
}

/// What was read of one room.
struct Read {
    room_id: RoomId,
    entries: Vec<Entry>,
    has_more: bool,
    last_seq: Mark,
}

const MAX_ROOMS: usize = 50;
/// How many entries are read of each room.
const READ_PER_ROOM: u16 = 30;
/// How many rooms are read at once: so many at most are read in vain because the page was filled meanwhile.
const AT_ONCE: usize = 8;
/// What an entry takes on a page at least, besides its words.
const FRAME_OF_ENTRY: usize = 200;

impl Route for Sync {
    type Request = requests::Sync;
    type Reply = Synced;

    async fn handle(&self, caller: &Caller, request: requests::Sync) -> Result<Synced, Error> {
        if request.rooms.len() > MAX_ROOMS {
            return Err(Refusal::bad_request("`rooms`: must be at most 50").into());
        }
        let keys: Vec<_> = request.rooms.keys().map(|room| (room.clone(), caller.participant().clone())).collect();
        let members = self.members.get_all(&keys, true).await?;
        // A room in which the caller has no seat is left out, like one that does not exist.
        let admitted = members.iter().filter(|member| Action::Sync.admits(Relation::of_member(member)).is_ok());
        let seated: HashSet<&RoomId> = admitted.map(|member| &member.room_id).collect();
        let asked = request.rooms.into_iter().filter(|(room, _)| seated.contains(room));
        let gathered = Cell::new(0);
        let read: Vec<Read> = stream::iter(asked)
            .map(|(room, mark)| self.read(room, mark, &gathered))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let languages = self.languages(&read).await?;
        Ok(Synced { rooms: pack(caller, read, &languages) })
    }
}

impl Sync {
    /// Reads what is newer in a room. Once enough for a page is gathered, only how far the room goes: what does not fit would be read
    /// in vain, up to a megabyte of every room.
    async fn read(&self, room_id: RoomId, mark: Mark, gathered: &Cell<usize>) -> Result<Read, Error> {
        if gathered.get() >= PAGE_LIMIT {
            let last_seq = self.last_seq(&room_id).await?;
            return Ok(Read { room_id, entries: Vec::new(), has_more: last_seq > mark, last_seq });
        }
        // From the last entry that the client has: finding it there tells a client that has everything from one that claims
        // more than there is, in one read.
        let (mut entries, has_more) =
            self.log.from(&room_id, mark.entry().unwrap_or(Seq::FIRST), READ_PER_ROOM).await?;
        let last_seq = match entries.last() {
            Some(last) if !has_more => last.seq.into(),
            _ => self.last_seq(&room_id).await?,
        };
        entries.retain(|entry| Mark::from(entry.seq) > mark);
        // Rather too little than too much, so that a page is full before reading ends.
        let size: usize = entries.iter().map(|entry| FRAME_OF_ENTRY + entry.message.len()).sum();
        gathered.set(gathered.get() + size);
        Ok(Read { room_id, entries, has_more, last_seq })
    }

    async fn last_seq(&self, room_id: &RoomId) -> Result<Mark, Error> {
        Ok(self.log.tail(room_id, 1).await?.first().map(|entry| Mark::from(entry.seq)).unwrap_or_default())
    }

    /// What the rooms' members read, for those rooms that have something to show.
    async fn languages(&self, read: &[Read]) -> Result<HashMap<RoomId, BTreeSet<protocol::language::Language>>, Error> {
        let wanted: Vec<RoomId> =
            read.iter().filter(|read| !read.entries.is_empty()).map(|read| read.room_id.clone()).collect();
        let rooms = self.rooms.get_all(&wanted).await?;
        Ok(rooms.into_iter().map(|room| (room.room_id, room.languages)).collect())
    }
}

/// Fills one page with what is newer; `complete` is false wherever that was not everything.
fn pack(
    caller: &Caller,
    read: Vec<Read>,
    languages: &HashMap<RoomId, BTreeSet<protocol::language::Language>>,
) -> Vec<NewerEntries> {
    let none = BTreeSet::new();
    let mut rooms: Vec<NewerEntries> = Vec::with_capacity(read.len());
    // The frame of every room has its place first, so that no room is left out for another's many messages.
    let frames: usize = read.iter().map(|read| json_len(&read.room_id) + FRAME_OF_ROOM).sum();
    let mut left = (PAGE_LIMIT - ENVELOPE_RESERVE).saturating_sub(frames);
    let mut given = false;
    for Read { room_id, entries, has_more, last_seq } in read {
        let languages = languages.get(&room_id).unwrap_or(&none);
        let views = entries.iter().map(|entry| MessageView::new(entry, caller.language.as_ref(), languages));
        let (mut messages, mut size) = fit(views, left);
        // `fit` always takes the first; only the first message of all may exceed the page, so that something moves on.
        if size > left && given {
            messages.clear();
            size = 0;
        }
        given |= !messages.is_empty();
        left = left.saturating_sub(size);
        let complete = !has_more && messages.len() == entries.len();
        rooms.push(NewerEntries { room_id, last_seq, messages, complete });
    }
    rooms
}

/// The most bytes that a room takes without its id and messages.
const FRAME_OF_ROOM: usize = r#"{"room_id":,"last_seq":9007199254740991,"messages":[],"complete":false},"#.len();
