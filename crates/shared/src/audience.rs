//! Who is listening to a room.

use futures::{StreamExt, TryStreamExt, stream};

use crate::chat::Member;
use crate::clock::Timestamp;
use crate::ids::RoomId;
use crate::table::{Connection, Connections, Members, TableError};

/// A participant in a room and the connections through which it listens.
#[derive(Debug)]
pub struct Listeners {
    /// The seat; `None` for an open room, where all who joined by connection listen together.
    pub member: Option<Member>,
    /// The connections that get each message.
    pub attentive: Vec<Connection>,
    /// The others of a participant with very many: they get one `room` event per batch.
    pub glancing: Vec<Connection>,
    /// Those whose session has ended: nothing is pushed to them any more.
    pub ended: Vec<Connection>,
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
    /// How many members' connections are looked up at once.
    const AT_ONCE: usize = 16;

    /// Everybody who listens to `room` at `now`, strongly consistent.
    pub async fn of(&self, room: &RoomId, now: Timestamp) -> Result<Vec<Listeners>, TableError> {
        if room.is_open() {
            let joined = self.connections.listening(&room.to_string()).await?;
            let (attentive, ended) = joined.into_iter().partition(|connection| connection.session_until > now);
            return Ok(vec![Listeners { member: None, attentive, glancing: Vec::new(), ended }]);
        }
        let members = self.members.of_room(room).await?;
        stream::iter(members)
            .map(async |member| {
                let connections = self.connections.listening(&member.participant.to_string()).await?;
                Ok(self.split(room, member, connections, now))
            })
            .buffered(Self::AT_ONCE)
            .try_collect()
            .await
    }

    fn split(&self, room: &RoomId, member: Member, connections: Vec<Connection>, now: Timestamp) -> Listeners {
        let (live, ended): (Vec<_>, _) = connections.into_iter().partition(|connection| connection.session_until > now);
        let crowded = live.len() > self.full_delivery_limit;
        let (attentive, glancing) =
            live.into_iter().partition(|connection| !crowded || connection.rooms.contains(room));
        Listeners { member: Some(member), attentive, glancing, ended }
    }
}
