//! Joins a room: makes the caller a member (of a group or an open room), and subscribes the connection to it. An open
//! room that does not exist is created. The room's languages follow whoever opens it.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use protocol::access::{Action, Condition, Relation};
use protocol::chat::{Entry, Member, Role, Room, RoomKind, SystemEvent};
use protocol::clock::Clock;
use protocol::ids::RoomId;
use protocol::language::Language;
use protocol::wire::replies::{GroupJoined, LanguageSet};
use protocol::wire::{Code, Refusal, RoomView};
use serde::Serialize;
use shared::adapters::dynamodb::{
    Appended, Connection, Connections, Joined, Log, MAX_GROUP_MEMBERS, Members, Profiles, Rooms,
};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::member_profile::MemberProfiles;
use shared::services::rate_limiter::{LimitedAction, RateLimiter};

use crate::request::Request;

pub struct JoinGroup {
    pub rooms: Rooms,
    pub members: Members,
    pub member_profiles: MemberProfiles,
    pub profiles: Profiles,
    pub connections: Connections,
    pub log: Log,
    pub rate_limiter: RateLimiter,
    pub clock: Clock,
}

impl Route for JoinGroup {
    type Request = Request;
    type Reply = Reply;

    async fn handle(&self, caller: &Caller, request: Request) -> Result<Reply, Error> {
        match request {
            Request::Join(request) => self.joined(caller, &request.group_id).await.map(Box::new).map(Reply::Joined),
            Request::SetLanguage(request) => self.set_language(caller, request.language).await.map(Reply::LanguageSet),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    Joined(Box<GroupJoined>),
    LanguageSet(LanguageSet),
}

/// Rooms that follow a changed language concurrently.
const MAX_CONCURRENCY: usize = 8;

impl JoinGroup {
    async fn joined(&self, caller: &Caller, room_id: &RoomId) -> Result<GroupJoined, Error> {
        let (room, own) = self.ensure_member(caller, room_id).await?;
        let (connection, mut members) =
            tokio::try_join!(self.listen(caller, room_id), self.visible_members(&room, &own))?;
        // The connection's row may have a newer name and language than the token that it was made with.
        let (name, language) = match &connection {
            Some(connection) => (connection.name.as_deref(), connection.language.as_ref()),
            None => (caller.sender.name.as_deref(), caller.language.as_ref()),
        };
        let (room, own, has_changed) = self.member_profiles.follow(room, own, name, language).await?;
        if has_changed {
            members = self.visible_members(&room, &own).await?;
        }
        Ok(GroupJoined { room: RoomView::new(&room, &own, &members) })
    }

    /// Sets what the caller reads: on this connection, in its joined rooms, and for rooms that others create.
    async fn set_language(&self, caller: &Caller, language: Language) -> Result<LanguageSet, Error> {
        self.rate_limiter.take(caller.user_id(), LimitedAction::Language).await?;
        let participant = caller.participant();
        let connection = self.connections.set_language(participant, &caller.connection_id, &language).await?;
        let connection =
            connection.ok_or_else(|| Refusal::new(Code::SessionExpired, "connection has ended; connect again"))?;
        if !participant.is_hospital() {
            self.profiles.set_language(participant, &language).await?;
        }
        let follow = async |room_id: &RoomId| {
            let found = tokio::try_join!(self.rooms.get(room_id), self.members.get(room_id, participant))?;
            if let (Some(room), Some(own)) = found {
                self.member_profiles.follow(room, own, connection.name.as_deref(), Some(&language)).await?;
            }
            Ok::<_, Error>(())
        };
        stream::iter(&connection.rooms).map(Ok).try_for_each_concurrent(MAX_CONCURRENCY, follow).await?;
        Ok(LanguageSet { language })
    }

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
                (Some(room), Some(own)) => return Ok(Attempt::Done((room, own))),
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
        self.member_profiles.describe(&mut member, caller.sender.name.as_deref(), caller.language.as_ref());
        member
    }

    /// The members to return: all of them, but in an open room, which may have very many, only the caller.
    async fn visible_members(&self, room: &Room, own: &Member) -> Result<Vec<Member>, Error> {
        if room.room_id.is_open() { Ok(vec![own.clone()]) } else { Ok(self.members.of_room(&room.room_id).await?) }
    }

    /// Subscribes the connection to the room, and returns the row of its participant.
    async fn listen(&self, caller: &Caller, room_id: &RoomId) -> Result<Option<Connection>, Error> {
        // First on the participant's row: the rooms listed there are removed with the connection.
        match self.connections.record_join(caller.participant(), &caller.connection_id, room_id).await? {
            Joined::Listening(own) => {
                // The session may have been refreshed since the connection was made, and the language changed.
                let listening = Connection {
                    session_until: own.session_until,
                    name: own.name.clone(),
                    language: own.language.clone(),
                    ..caller.listening_to(room_id)
                };
                self.connections.put(&listening).await?;
                Ok(Some(*own))
            }
            // An open room is delivered only to subscribed connections; other rooms reach their members in any case.
            Joined::Full if room_id.is_open() => {
                let limit = Connection::MAX_ROOMS;
                let refusal = format!("connection has already joined {limit} rooms; open another connection for more");
                Err(Refusal::forbidden(refusal).into())
            }
            Joined::Full | Joined::Gone => Ok(None),
        }
    }
}
