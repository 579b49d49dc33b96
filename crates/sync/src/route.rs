//! Returns the entries after the client's position in each of its rooms. Clients also use it as a heartbeat.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use protocol::access::{Action, Relation};
use protocol::chat::Entry;
use protocol::ids::{LogPosition, RoomId, Seq};
use protocol::language::Language;
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

/// The entries read from one room.
struct Read {
    room_id: RoomId,
    entries: Vec<Entry>,
    has_more: bool,
    last_seq: LogPosition,
}

const MAX_ROOMS: usize = 50;
/// The most entries that are read from each room.
const READ_PER_ROOM: u16 = 30;
/// The most rooms that are read concurrently, and so the most that are read in vain once the page is full.
const MAX_CONCURRENCY: usize = 8;
/// The fewest bytes that an entry takes on a page, besides its text.
const ENTRY_OVERHEAD: usize = 200;

impl Route for Sync {
    type Request = requests::Sync;
    type Reply = Synced;

    async fn handle(&self, caller: &Caller, request: requests::Sync) -> Result<Synced, Error> {
        if request.rooms.len() > MAX_ROOMS {
            return Err(Refusal::bad_request("`rooms`: too many; send at most 50").into());
        }
        let keys: Vec<_> = request.rooms.keys().map(|room| (room.clone(), caller.participant().clone())).collect();
        let members = self.members.get_all(&keys, true).await?;
        // Rooms that the caller is not a member of are omitted, like rooms that do not exist.
        let admitted = members.iter().filter(|member| Action::Sync.admits(Relation::of_member(member)).is_ok());
        let joined: HashSet<&RoomId> = admitted.map(|member| &member.room_id).collect();
        let asked = request.rooms.into_iter().filter(|(room, _)| joined.contains(room));
        let gathered = Cell::new(0);
        let read: Vec<Read> = stream::iter(asked)
            .map(|(room, position)| self.read(room, position, &gathered))
            .buffered(MAX_CONCURRENCY)
            .try_collect()
            .await?;
        let languages = self.languages(&read).await?;
        Ok(Synced { rooms: pack(caller, read, &languages) })
    }
}

impl Sync {
    /// Reads the newer entries of a room. Once enough for a page has been gathered, it reads only the last position:
    /// entries that do not fit would be read in vain, up to a megabyte per room.
    async fn read(&self, room_id: RoomId, position: LogPosition, gathered: &Cell<usize>) -> Result<Read, Error> {
        if gathered.get() >= PAGE_LIMIT {
            let last_seq = self.last_seq(&room_id).await?;
            return Ok(Read { room_id, entries: Vec::new(), has_more: last_seq > position, last_seq });
        }
        // Start at the last entry that the client has: one read then tells an up-to-date client from one that claims a
        // position beyond the end of the log.
        let (mut entries, has_more) =
            self.log.from(&room_id, position.seq().unwrap_or(Seq::FIRST), READ_PER_ROOM).await?;
        let last_seq = match entries.last() {
            Some(last) if !has_more => last.seq.into(),
            _ => self.last_seq(&room_id).await?,
        };
        entries.retain(|entry| LogPosition::from(entry.seq) > position);
        // Underestimate the size, so that reading does not stop before the page is full.
        let size: usize = entries.iter().map(|entry| ENTRY_OVERHEAD + entry.message.len()).sum();
        gathered.set(gathered.get() + size);
        Ok(Read { room_id, entries, has_more, last_seq })
    }

    async fn last_seq(&self, room_id: &RoomId) -> Result<LogPosition, Error> {
        Ok(self.log.tail(room_id, 1).await?.first().map(|entry| LogPosition::from(entry.seq)).unwrap_or_default())
    }

    /// The languages of the rooms' members, for rooms with new entries.
    async fn languages(&self, read: &[Read]) -> Result<HashMap<RoomId, BTreeSet<Language>>, Error> {
        let wanted: Vec<RoomId> =
            read.iter().filter(|read| !read.entries.is_empty()).map(|read| read.room_id.clone()).collect();
        let rooms = self.rooms.get_all(&wanted).await?;
        Ok(rooms.into_iter().map(|room| (room.room_id, room.languages)).collect())
    }
}

/// Fills one page with the entries; `complete` is false for rooms that have more.
fn pack(caller: &Caller, read: Vec<Read>, languages: &HashMap<RoomId, BTreeSet<Language>>) -> Vec<NewerEntries> {
    let none = BTreeSet::new();
    let mut rooms: Vec<NewerEntries> = Vec::with_capacity(read.len());
    // Reserve space for every room first, so that one room's many messages do not crowd out another room.
    let reserved: usize = read.iter().map(|read| json_len(&read.room_id) + ROOM_OVERHEAD).sum();
    let mut left = (PAGE_LIMIT - ENVELOPE_RESERVE).saturating_sub(reserved);
    let mut has_messages = false;
    for Read { room_id, entries, has_more, last_seq } in read {
        let languages = languages.get(&room_id).unwrap_or(&none);
        let views = entries.iter().map(|entry| MessageView::new(entry, caller.language.as_ref(), languages));
        let (mut messages, mut size) = fit(views, left);
        // `fit` always takes the first message; only the first message of the page may exceed it, so that syncing makes
        // progress.
        if size > left && has_messages {
            messages.clear();
            size = 0;
        }
        has_messages |= !messages.is_empty();
        left = left.saturating_sub(size);
        let complete = !has_more && messages.len() == entries.len();
        rooms.push(NewerEntries { room_id, last_seq, messages, complete });
    }
    rooms
}

/// The most bytes that a room takes besides its id and messages.
const ROOM_OVERHEAD: usize = r#"{"room_id":,"last_seq":9007199254740991,"messages":[],"complete":false},"#.len();
