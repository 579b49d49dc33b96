//! The connections that listen to a room.

use futures::stream::LocalBoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::adapters::dynamodb::{Connection, Connections, Members, Page, TableError};
use crate::aws::Aws;
use crate::config::{AudienceConfig, ConfigError};
use protocol::chat::Member;
use protocol::clock::Timestamp;
use protocol::ids::RoomId;

/// A connection that listens to a room.
#[derive(Debug)]
pub struct Listener<'a> {
    pub connection: Connection,
    /// The member it listens for; `None` in an open room, where connections join without members.
    pub member: Option<&'a Member>,
    pub mode: DeliveryMode,
}

/// What a connection gets of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Every message.
    Full,
    /// One `room` event per batch: its participant has very many connections, and this one has not joined the room.
    Summary,
    /// Nothing: its session has ended, or its row has expired, which no connection outlives.
    Expired,
}

/// Looks up listeners.
#[derive(Debug, Clone)]
pub struct Audience {
    pub members: Members,
    pub connections: Connections,
    /// A participant with more connections than this gets every message only on those that joined the room.
    pub full_delivery_limit: usize,
}

impl Audience {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        let full_delivery_limit = AudienceConfig::read()?.full_delivery_limit;
        Ok(Self { members: Members::open(aws)?, connections: Connections::open(aws)?, full_delivery_limit })
    }

    /// Members whose connections are looked up concurrently.
    const MAX_CONCURRENCY: usize = 16;
    /// More members than any room has: see [`MAX_GROUP_MEMBERS`](crate::adapters::dynamodb::MAX_GROUP_MEMBERS).
    const ALL: usize = 1_000;

    /// The room's members; none in an open room, whose connections listen on their own.
    pub async fn members(&self, room: &RoomId) -> Result<Vec<Member>, TableError> {
        if room.is_open() { Ok(Vec::new()) } else { self.members.listening(room, Self::ALL).await }
    }

    /// Every connection that listens to `room` at `now`, strongly consistent, page by page, so that no more are held
    /// than are being read. An error stands for the rest of one member's connections; the others still follow.
    pub fn listeners<'a>(
        &'a self,
        room: &'a RoomId,
        members: &'a [Member],
        now: Timestamp,
    ) -> LocalBoxStream<'a, Result<Listener<'a>, TableError>> {
        if room.is_open() {
            let pages = self.connections.listening(room);
            let listen = move |connection: Connection| {
                let mode = if connection.is_alive(now) { DeliveryMode::Full } else { DeliveryMode::Expired };
                Listener { connection, member: None, mode }
            };
            return flatten_pages(pages, move |_| listen).boxed_local();
        }
        self.of_members(room, members, now)
    }

    /// The connections of these members, in the same way; in an open room too.
    pub fn of_members<'a>(
        &'a self,
        room: &'a RoomId,
        members: &'a [Member],
        now: Timestamp,
    ) -> LocalBoxStream<'a, Result<Listener<'a>, TableError>> {
        let listeners = members.iter().map(move |member| self.of_member(room, member, now).boxed_local());
        stream::iter(listeners).flatten_unordered(Self::MAX_CONCURRENCY).boxed_local()
    }

    fn of_member<'a>(
        &'a self,
        room: &'a RoomId,
        member: &'a Member,
        now: Timestamp,
    ) -> impl Stream<Item = Result<Listener<'a>, TableError>> + 'a {
        let mut crowded = None;
        flatten_pages(self.connections.listening(&member.participant), move |page| {
            let live = page.rows.iter().filter(|connection| connection.is_alive(now)).count();
            let crowded = *crowded.get_or_insert(page.more || live > self.full_delivery_limit);
            move |connection: Connection| {
                let mode = match () {
                    () if !connection.is_alive(now) => DeliveryMode::Expired,
                    () if crowded && !connection.rooms.contains(room) => DeliveryMode::Summary,
                    () => DeliveryMode::Full,
                };
                Listener { connection, member: Some(member), mode }
            }
        })
    }

    /// The connections that get every message of `room`, or `None` if there are more than `most`. Takes one round trip
    /// in a consult or a direct room, whose id names its members, otherwise two; reads at most `most` + 1 members and
    /// connections of each.
    pub async fn small(
        &self,
        room: &RoomId,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Vec<Connection>>, TableError> {
        let most = most.min(self.full_delivery_limit);
        let audiences: Vec<String> = match room.sides() {
            Some(sides) => sides.iter().map(ToString::to_string).collect(),
            None if room.is_open() => vec![room.to_string()],
            None => {
                let members = self.members.listening(room, most + 1).await?;
                members.iter().map(|member| member.participant.to_string()).collect()
            }
        };
        if audiences.len() > most {
            return Ok(None);
        }
        let lookups = audiences.iter().map(|audience| self.connections.first_listening(audience, most + 1));
        let found = futures::future::try_join_all(lookups).await?;
        // Rows of ended sessions count: they may hide live ones beyond the limit.
        if found.iter().any(|some| some.len() > most) || found.iter().map(Vec::len).sum::<usize>() > most {
            return Ok(None);
        }
        Ok(Some(found.into_iter().flatten().filter(|connection| connection.is_alive(now)).collect()))
    }
}

/// The connections of all pages, as listeners. `judge` sees each page and returns how to make its listeners.
fn flatten_pages<'a, F>(
    pages: impl Stream<Item = Result<Page<Connection>, TableError>> + 'a,
    mut judge: impl FnMut(&Page<Connection>) -> F + 'a,
) -> impl Stream<Item = Result<Listener<'a>, TableError>> + 'a
where
    F: FnMut(Connection) -> Listener<'a> + 'a,
{
    pages
        .map_ok(move |page| {
            let listen = judge(&page);
            stream::iter(page.rows.into_iter().map(listen).map(Ok))
        })
        .try_flatten()
}
