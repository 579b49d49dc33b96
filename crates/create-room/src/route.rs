//! Creates a room with its members and first entry in one transaction. Repeating the request returns the same room.

use std::collections::HashMap;

use protocol::access::{Action, Relation};
use protocol::chat::{Entry, Member, Room, RoomKind, RoomStatus, SystemEvent};
use protocol::clock::Clock;
use protocol::ids::Participant;
use protocol::language::Language;
use protocol::wire::replies::RoomCreated;
use protocol::wire::{Refusal, RoomView, requests};
use shared::adapters::dynamodb::{Appended, Log, Members, Profile, Profiles, Rooms, TableError};
use shared::config::NewRoomConfig;
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::rate_limiter::{LimitedAction, RateLimiter};

use crate::request::{Plan, plan};

pub struct CreateRoom {
    pub rooms: Rooms,
    pub members: Members,
    pub profiles: Profiles,
    pub log: Log,
    pub defaults: NewRoomConfig,
    pub rate_limiter: RateLimiter,
    pub clock: Clock,
}

impl Route for CreateRoom {
    type Request = requests::CreateRoom;
    type Reply = RoomCreated;

    async fn handle(&self, caller: &Caller, mut request: requests::CreateRoom) -> Result<RoomCreated, Error> {
        let plan = plan(&mut request, caller)?;
        append_with_retry(async |attempt| {
            if let Some(room) = self.rooms.get(&plan.room_id).await? {
                return self.existing(caller, &room).await.map(Attempt::Done);
            }
            if attempt == 0 {
                self.rate_limiter.take(caller.user_id(), LimitedAction::Room).await?;
            }
            let members = self.members(caller, &plan, request.language.as_ref()).await?;
            let (room, entry) = self.room(caller, &plan, &members);
            let mut parts = vec![self.rooms.insert(&room)?];
            for member in &members {
                parts.push(self.members.put_in_transaction(member)?);
            }
            Ok(match self.log.append(&entry, parts).await? {
                Appended::Done => Attempt::Done(RoomCreated { room: view(caller, &room, &members)?, created: true }),
                Appended::Conflict { .. } => Attempt::Conflict,
            })
        })
        .await
    }
}

impl CreateRoom {
    /// The existing room as it is, if the caller is a member.
    async fn existing(&self, caller: &Caller, room: &Room) -> Result<RoomCreated, Error> {
        let members = self.members.of_room(&room.room_id).await?;
        Ok(RoomCreated { room: view(caller, room, &members)?, created: false })
    }

    /// The members. Name and language come from the caller's token and from the profiles of the others.
    async fn members(&self, caller: &Caller, plan: &Plan, asked: Option<&Language>) -> Result<Vec<Member>, TableError> {
        let absent: Vec<Participant> = plan
            .members
            .iter()
            .map(|(participant, _)| participant.clone())
            .filter(|one| one != caller.participant())
            .collect();
        let profiles = self.profiles.get_all(&absent).await?;
        let profiles: HashMap<&Participant, &Profile> =
            profiles.iter().map(|profile| (&profile.participant, profile)).collect();
        let now = self.clock.now();
        let member = |(participant, role): &(Participant, protocol::chat::Role)| {
            let own = participant == caller.participant();
            let profile = profiles.get(participant);
            let mut member = Member::new(plan.room_id.clone(), participant.clone(), *role, now);
            member.language = if own {
                asked.or(caller.language.as_ref()).cloned()
            } else {
                profile.and_then(|profile| profile.language.clone())
            };
            member.name = match participant {
                Participant::User(_) if own => caller.sender.name.clone(),
                // Only hospitals see names from profiles, so that users cannot look up names by guessing ids. A
                // person's name is added when they join.
                _ if caller.participant().is_hospital() => profile.and_then(|profile| profile.name.clone()),
                _ => None,
            };
            if participant.is_hospital() {
                member.language.get_or_insert_with(|| self.defaults.hospital_language.clone());
                if plan.kind == RoomKind::Consult {
                    member.list_key = Some(Member::list_key(participant, RoomStatus::Waiting));
                }
            }
            member
        };
        Ok(plan.members.iter().map(member).collect())
    }

    /// The room's row and its first entry.
    fn room(&self, caller: &Caller, plan: &Plan, members: &[Member]) -> (Room, Entry) {
        let now = self.clock.now();
        let entry = Entry::system(plan.room_id.clone(), None, caller.sender.clone(), SystemEvent::RoomCreated, now);
        let languages = members.iter().filter_map(|member| member.language.clone()).collect();
        let member_count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let mut room = Room { name: plan.name.clone(), ..Room::new(plan.kind, &entry, languages, member_count) };
        if plan.kind == RoomKind::Consult {
            room.hospital_translation = self.defaults.consult_translation;
        }
        (room, entry)
    }
}

fn view(caller: &Caller, room: &Room, members: &[Member]) -> Result<RoomView, Refusal> {
    let own = members.iter().find(|member| member.participant == *caller.participant());
    // Another caller's group has this id.
    let own = own.ok_or_else(|| Action::CreateRoom.refusal(Relation::without_membership(&room.room_id, true)))?;
    Ok(RoomView::new(room, own, members))
}
