//! When somebody opens a room on their connection, then they are a member of it (if it is a group or an open room), and this
//! connection listens to it.

use std::collections::BTreeSet;

use protocol::access::{Action, Condition, Relation};
use protocol::chat::{Entry, Member, Role, Room, RoomKind, SystemEvent};
use protocol::clock::Clock;
use protocol::ids::RoomId;
use protocol::wire::replies::GroupJoined;
use protocol::wire::{Refusal, RoomView, requests};
use shared::adapters::dynamodb::{Appended, Connection, Connections, GROUP_LIMIT, Joined, Log, Members, Rooms};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::rate_limiter::{LimitedAction, RateLimiter};

pub struct JoinGroup {
    pub rooms: Rooms,
    pub members: Members,
    pub connections: Connections,
    pub log: Log,
    pub rate_limiter: RateLimiter,
    pub clock: Clock,
}

impl Route for JoinGroup {
    type Request = requests::JoinGroup;
    type Reply = GroupJoined;

    async fn handle(&self, caller: &Caller, request: requests::JoinGroup) -> Result<GroupJoined, Error> {
        let (room, own) = self.membership(caller, &request.group_id).await?;
        let ((), members) = tokio::try_join!(self.listen(caller, &room.room_id), self.shown(&room, &own))?;
        Ok(GroupJoined { room: RoomView::new(&room, &own, &members) })
    }
}

impl JoinGroup {
    /// The room and the caller's membership, which is added now if there is none and may be one.
    async fn membership(&self, caller: &Caller, room_id: &RoomId) -> Result<(Room, Member), Error> {
        append_with_retry(async |_| self.try_membership(caller, room_id).await).await
    }

    async fn try_membership(&self, caller: &Caller, room_id: &RoomId) -> Result<Attempt<(Room, Member)>, Error> {
        loop {
            let (room, own) =
                tokio::try_join!(self.rooms.get(room_id), self.members.get(room_id, caller.participant()))?;
            let relation = match &own {
                Some(own) if room.is_some() => Relation::of_member(own),
                _ => Relation::without_membership(room_id, room.is_some()),
            };
            Action::JoinGroup.permits(relation, room_id.is_open().then_some(Condition::OpenRoom))?;
            let appended = match (room, own) {
                (Some(room), Some(own)) => return self.refreshed(caller, room, own).await.map(Attempt::Done),
                (Some(room), None) => self.join(caller, &room).await?,
                (None, _) => self.open(caller, room_id).await?,
            };
            if let Appended::Again { .. } = appended {
                return Ok(Attempt::Conflict);
            }
        }
    }

    /// Creates an open room with the caller as its first member.
    async fn open(&self, caller: &Caller, room_id: &RoomId) -> Result<Appended, Error> {
        self.rate_limiter.take(caller.user_id(), LimitedAction::Room).await?;
        let now = self.clock.now();
        let entry = Entry::system(room_id.clone(), None, caller.sender.clone(), SystemEvent::RoomCreated, now);
        // Nothing is translated automatically for who comes and goes, so nobody's language counts.
        let room = Room::new(RoomKind::Open, &entry, BTreeSet::new(), 1);
        let parts = vec![self.rooms.insert(&room)?, self.members.insert(&self.seat(caller, room_id))?];
        Ok(self.log.append(&entry, parts).await?)
    }

    /// Takes a seat. In a group the log says so; an open room's would be full of it.
    async fn join(&self, caller: &Caller, room: &Room) -> Result<Appended, Error> {
        let seat = self.seat(caller, &room.room_id);
        if room.room_id.is_open() {
            self.members.put(&seat).await?;
            return Ok(Appended::Done);
        }
        if room.member_count >= GROUP_LIMIT {
            return Err(Refusal::forbidden("this group has no seat left").into());
        }
        let tail = self.log.tail(&room.room_id, 1).await?;
        let event = SystemEvent::MemberJoined { participant: caller.participant().clone() };
        let entry = Entry::system(room.room_id.clone(), tail.first(), caller.sender.clone(), event, self.clock.now());
        let parts = vec![self.rooms.seat(&room.room_id, seat.language.as_ref())?, self.members.insert(&seat)?];
        Ok(self.log.append(&entry, parts).await?)
    }

    fn seat(&self, caller: &Caller, room_id: &RoomId) -> Member {
        let mut seat = Member::new(room_id.clone(), caller.participant().clone(), Role::Member, self.clock.now());
        seat.language = caller.language.clone();
        seat.name = caller.sender.name.clone().filter(|_| !caller.participant().is_hospital());
        seat
    }

    /// A seat that was given in a person's absence learns what they are called and read when they first sit down.
    async fn refreshed(&self, caller: &Caller, mut room: Room, own: Member) -> Result<(Room, Member), Error> {
        let new = self.seat(caller, &room.room_id);
        let mut known = own.clone();
        known.name = own.name.clone().or(new.name);
        known.language = own.language.clone().or(new.language);
        if (&known.name, &known.language) == (&own.name, &own.language) || room.room_id.is_open() {
            return Ok((room, own));
        }
        self.members.introduce(&known).await?;
        if let (None, Some(language)) = (&own.language, &known.language) {
            self.rooms.add_language(&room.room_id, language).await?;
            room.languages.insert(language.clone());
        }
        Ok((room, known))
    }

    /// Who is shown: everybody, but for an open room, which may have very many.
    async fn shown(&self, room: &Room, own: &Member) -> Result<Vec<Member>, Error> {
        if room.room_id.is_open() { Ok(vec![own.clone()]) } else { Ok(self.members.of_room(&room.room_id).await?) }
    }

    /// This connection hears the room from now on.
    async fn listen(&self, caller: &Caller, room_id: &RoomId) -> Result<(), Error> {
        // First on the participant's row: what is noted there is removed with the connection.
        match self.connections.note_joined(caller.participant(), &caller.connection_id, room_id).await? {
            Joined::Listening(own) => {
                // The session may have been refreshed since the connection was made.
                let listening = Connection { session_until: own.session_until, ..caller.listening_to(room_id) };
                Ok(self.connections.put(&listening).await?)
            }
            // An open room is heard in no other way; of all others its members hear as participants.
            Joined::Full if room_id.is_open() => {
                let most = Connection::MOST_ROOMS;
                let refusal = format!("this connection listens in {most} rooms already; use another one for more");
                Err(Refusal::forbidden(refusal).into())
            }
            Joined::Full | Joined::Gone => Ok(()),
        }
    }
}
