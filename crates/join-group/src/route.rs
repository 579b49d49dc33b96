//! Joins a room: makes the caller a member (of a group or an open room), and subscribes the connection to it. An open
//! room that does not exist is created.

use std::collections::BTreeSet;

use protocol::access::{Action, Condition, Relation};
use protocol::chat::{Entry, Member, Role, Room, RoomKind, SystemEvent};
use protocol::clock::Clock;
use protocol::ids::RoomId;
use protocol::wire::replies::GroupJoined;
use protocol::wire::{Refusal, RoomView, requests};
use shared::adapters::dynamodb::{Appended, Connection, Connections, Joined, Log, MAX_GROUP_MEMBERS, Members, Rooms};
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
        let (room, own) = self.ensure_member(caller, &request.group_id).await?;
        let ((), members) = tokio::try_join!(self.listen(caller, &room.room_id), self.visible_members(&room, &own))?;
        Ok(GroupJoined { room: RoomView::new(&room, &own, &members) })
    }
}

impl JoinGroup {
    /// The room and the caller's membership, created now if there was none and the caller may join.
    async fn ensure_member(&self, caller: &Caller, room_id: &RoomId) -> Result<(Room, Member), Error> {
        append_with_retry(async |_| self.try_ensure_member(caller, room_id).await).await
    }

    async fn try_ensure_member(&self, caller: &Caller, room_id: &RoomId) -> Result<Attempt<(Room, Member)>, Error> {
        loop {
            let (room, own) =
                tokio::try_join!(self.rooms.get(room_id), self.members.get(room_id, caller.participant()))?;
            let relation = match &own {
                Some(own) if room.is_some() => Relation::of_member(own),
                _ => Relation::without_membership(room_id, room.is_some()),
            };
            Action::JoinGroup.permits(relation, room_id.is_open().then_some(Condition::OpenRoom))?;
            let appended = match (room, own) {
                (Some(room), Some(own)) => return self.with_profile(caller, room, own).await.map(Attempt::Done),
                (Some(room), None) => self.join(caller, &room).await?,
                (None, _) => self.open(caller, room_id).await?,
            };
            if let Appended::Conflict { .. } = appended {
                return Ok(Attempt::Conflict);
            }
        }
    }

    /// Creates an open room with the caller as its first member.
    async fn open(&self, caller: &Caller, room_id: &RoomId) -> Result<Appended, Error> {
        self.rate_limiter.take(caller.user_id(), LimitedAction::Room).await?;
        let now = self.clock.now();
        let entry = Entry::system(room_id.clone(), None, caller.sender.clone(), SystemEvent::RoomCreated, now);
        // Open rooms are not translated automatically, so no member's language is recorded.
        let room = Room::new(RoomKind::Open, &entry, BTreeSet::new(), 1);
        let parts = vec![self.rooms.insert(&room)?, self.members.insert(&self.new_member(caller, room_id))?];
        Ok(self.log.append(&entry, parts).await?)
    }

    /// Adds the caller as a member. Only a group's log records this; an open room's would contain little else.
    async fn join(&self, caller: &Caller, room: &Room) -> Result<Appended, Error> {
        let member = self.new_member(caller, &room.room_id);
        if room.room_id.is_open() {
            self.members.put(&member).await?;
            return Ok(Appended::Done);
        }
        if room.member_count >= MAX_GROUP_MEMBERS {
            return Err(Refusal::forbidden("group is full").into());
        }
        let tail = self.log.tail(&room.room_id, 1).await?;
        let event = SystemEvent::MemberJoined { participant: caller.participant().clone() };
        let entry = Entry::system(room.room_id.clone(), tail.first(), caller.sender.clone(), event, self.clock.now());
        let parts =
            vec![self.rooms.add_member(&room.room_id, member.language.as_ref())?, self.members.insert(&member)?];
        Ok(self.log.append(&entry, parts).await?)
    }

    fn new_member(&self, caller: &Caller, room_id: &RoomId) -> Member {
        let mut member = Member::new(room_id.clone(), caller.participant().clone(), Role::Member, self.clock.now());
        member.language = caller.language.clone();
        member.name = caller.sender.name.clone().filter(|_| !caller.participant().is_hospital());
        member
    }

    /// Adds name and language to a member who was added by another user and now joins for the first time.
    async fn with_profile(&self, caller: &Caller, mut room: Room, own: Member) -> Result<(Room, Member), Error> {
        let new = self.new_member(caller, &room.room_id);
        let mut known = own.clone();
        known.name = own.name.clone().or(new.name);
        known.language = own.language.clone().or(new.language);
        if (&known.name, &known.language) == (&own.name, &own.language) || room.room_id.is_open() {
            return Ok((room, own));
        }
        self.members.set_profile(&known).await?;
        if let (None, Some(language)) = (&own.language, &known.language) {
            self.rooms.add_language(&room.room_id, language).await?;
            room.languages.insert(language.clone());
        }
        Ok((room, known))
    }

    /// The members to return: all of them, but in an open room, which may have very many, only the caller.
    async fn visible_members(&self, room: &Room, own: &Member) -> Result<Vec<Member>, Error> {
        if room.room_id.is_open() { Ok(vec![own.clone()]) } else { Ok(self.members.of_room(&room.room_id).await?) }
    }

    /// Subscribes the connection to the room.
    async fn listen(&self, caller: &Caller, room_id: &RoomId) -> Result<(), Error> {
        // First on the participant's row: the rooms listed there are removed with the connection.
        match self.connections.record_join(caller.participant(), &caller.connection_id, room_id).await? {
            Joined::Listening(own) => {
                // The session may have been refreshed since the connection was made.
                let listening = Connection { session_until: own.session_until, ..caller.listening_to(room_id) };
                Ok(self.connections.put(&listening).await?)
            }
            // An open room is delivered only to subscribed connections; other rooms reach their members in any case.
            Joined::Full if room_id.is_open() => {
                let limit = Connection::MAX_ROOMS;
                let refusal = format!("connection has already joined {limit} rooms; open another connection for more");
                Err(Refusal::forbidden(refusal).into())
            }
            Joined::Full | Joined::Gone => Ok(()),
        }
    }
}
