//! Who is listening to a room.

use futures::stream::LocalBoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::adapters::dynamodb::{Connection, Connections, Members, Page, TableError};
use crate::aws::Aws;
use crate::config::{AudienceConfig, ConfigError};
use protocol::chat::Member;
use protocol::clock::Timestamp;
use protocol::ids::RoomId;

/// A connection through which somebody listens to a room.
#[derive(Debug)]
pub struct Listener<'a> {
    /// The connection.
    pub connection: Connection,
    /// The seat it listens from; `None` in an open room, where all who joined by connection listen together.
    pub member: Option<&'a Member>,
    /// How it listens.
    pub mode: DeliveryMode,
}

/// How a connection listens to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMode {
    /// It gets each message.
    Full,
    /// It is one of a participant with very many, and did not join the room: it gets one `room` event per batch.
    Summary,
    /// Its session has ended, or its row has expired, which no connection outlives: nothing is pushed to it any more.
    Expired,
}

/// Finds who is listening.
#[derive(Debug, Clone)]
pub struct Audience {
    /// Who has a seat.
    pub members: Members,
    /// Who is connected.
    pub connections: Connections,
    /// With more connections than this, only those of a participant that joined the room get each of its messages.
    pub full_delivery_limit: usize,
}

impl Audience {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        let full_delivery_limit = AudienceConfig::read()?.full_delivery_limit;
        Ok(Self { members: Members::open(aws)?, connections: Connections::open(aws)?, full_delivery_limit })
    }

    /// How many members' connections are looked up at once.
    const AT_ONCE: usize = 16;
    /// More seats than any room has: see [`GROUP_LIMIT`](crate::adapters::dynamodb::GROUP_LIMIT).
    const ALL: usize = 1_000;

    /// Everybody who has a seat; nobody in an open room, where connections listen by themselves.
    pub async fn members(&self, room: &RoomId) -> Result<Vec<Member>, TableError> {
        if room.is_open() { Ok(Vec::new()) } else { self.members.listening(room, Self::ALL).await }
    }

    /// Every connection that listens to `room` at `now`, strongly consistent, page by page: however many listen, only as many
    /// are held as are being read. An error stands for the rest of one member's connections; the others' still follow.
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
            return one_by_one(pages, move |_| listen).boxed_local();
        }
        self.of_members(room, members, now)
    }

    /// The connections of these seats of `room`, in the same way: in an open room not who joined it, but whose seats they are.
    pub fn of_members<'a>(
        &'a self,
        room: &'a RoomId,
        members: &'a [Member],
        now: Timestamp,
    ) -> LocalBoxStream<'a, Result<Listener<'a>, TableError>> {
        let seats = members.iter().map(move |member| self.of_member(room, member, now).boxed_local());
        stream::iter(seats).flatten_unordered(Self::AT_ONCE).boxed_local()
    }

    fn of_member<'a>(
        &'a self,
        room: &'a RoomId,
        member: &'a Member,
        now: Timestamp,
    ) -> impl Stream<Item = Result<Listener<'a>, TableError>> + 'a {
        let mut crowded = None;
        one_by_one(self.connections.listening(&member.participant), move |page| {
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

    /// The connections that get each message of `room`, if they are at most `most`; `None` if there are more. In a consult or
    /// a direct room one round trip, because its id says who has a seat, otherwise two; never more than `most` seats and
    /// connections of each are read.
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
        // Rows of ended sessions count: what hides behind them is not known.
        if found.iter().any(|some| some.len() > most) || found.iter().map(Vec::len).sum::<usize>() > most {
            return Ok(None);
        }
        Ok(Some(found.into_iter().flatten().filter(|connection| connection.is_alive(now)).collect()))
    }
}

/// The connections of pages, each made a listener by what `judge` makes of its page.
fn one_by_one<'a, F>(
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
