//! Creates a room with its members and first entry in one transaction. Repeating the request returns the same room.

use std::collections::HashMap;

use protocol::access::{Action, Relation};
use protocol::chat::{Entry, Member, Room, RoomKind, RoomStatus, SystemEvent};
use protocol::clock::Clock;
use protocol::ids::Participant;
use protocol::language::Language;
use protocol::wire::replies::RoomCreated;
use protocol::wire::{Code, Refusal, RoomView, requests};
use shared::adapters::dynamodb::{Appended, Log, Members, Profile, Profiles, Rooms};
use shared::config::NewRoomConfig;
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::member_profile::MemberProfiles;
use shared::services::rate_limiter::{LimitedAction, RateLimiter};

use crate::request::{Plan, plan};

pub struct CreateRoom {
    pub rooms: Rooms,
    pub members: Members,
    pub profiles: Profiles,
    pub log: Log,
    pub member_profiles: MemberProfiles,
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
                return self.existing(caller, room, request.language.as_ref()).await.map(Attempt::Done);
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
    /// The existing room, if the caller is a member. It follows the caller's language.
    async fn existing(&self, caller: &Caller, room: Room, asked: Option<&Language>) -> Result<RoomCreated, Error> {
        let members = self.members.of_room(&room.room_id).await?;
        let own = own(caller, &room, &members)?.clone();
        if !own.participant.is_hospital() && asked.is_some_and(|asked| own.language.as_ref() != Some(asked)) {
            self.rate_limiter.take(caller.user_id(), LimitedAction::Language).await?;
        }
        let profiles = self.profiles.get_all(std::slice::from_ref(caller.participant())).await?;
        let language = reading_language(caller, profiles.first(), asked);
        let name = caller.sender.name.as_deref();
        let (room, _, has_changed) = self.member_profiles.follow(room, own, name, language).await?;
        let members = if has_changed { self.members.of_room(&room.room_id).await? } else { members };
        Ok(RoomCreated { room: view(caller, &room, &members)?, created: false })
    }

    /// The members. Name and language come from the caller's token, from the profiles of users, and from what is
    /// declared for hospitals.
    async fn members(&self, caller: &Caller, plan: &Plan, asked: Option<&Language>) -> Result<Vec<Member>, Error> {
        let participants: Vec<Participant> = plan.members.iter().map(|(participant, _)| participant.clone()).collect();
        let profiles = self.profiles.get_all(&participants).await?;
        let profiles: HashMap<&Participant, &Profile> =
            profiles.iter().map(|profile| (&profile.participant, profile)).collect();
        let now = self.clock.now();
        let mut members = Vec::with_capacity(participants.len());
        for (participant, role) in &plan.members {
            let profile = profiles.get(participant).copied();
            let mut member = Member::new(plan.room_id.clone(), participant.clone(), *role, now);
            if participant == caller.participant() {
                let language = reading_language(caller, profile, asked);
                self.member_profiles.describe(&mut member, caller.sender.name.as_deref(), language);
            } else {
                // Only hospitals see names from profiles, so that users cannot look up names by guessing ids. A
                // person's name is added when they join.
                let name = profile.and_then(|profile| profile.name.as_deref());
                let name = name.filter(|_| caller.participant().is_hospital());
                let language = profile.and_then(|profile| profile.language.as_ref());
                self.member_profiles.describe(&mut member, name, language);
            }
            if let (Participant::Hospital(hospital), RoomKind::Consult) = (participant, plan.kind) {
                // Staff who have connected have proven that there is such a hospital. Made-up ones would each have a
                // translation budget.
                if profile.is_none() && !self.member_profiles.hospitals.contains(hospital) {
                    return Err(Refusal::new(Code::NotFound, "hospital not found").into());
                }
                member.list_key = Some(Member::list_key(participant, RoomStatus::Waiting));
            }
            members.push(member);
        }
        Ok(members)
    }

    /// The room's row and its first entry.
    fn room(&self, caller: &Caller, plan: &Plan, members: &[Member]) -> (Room, Entry) {
        let now = self.clock.now();
        let entry = Entry::system(plan.room_id.clone(), None, caller.sender.clone(), SystemEvent::RoomCreated, now);
        let languages = Room::languages_of(plan.kind, members);
        let member_count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let mut room = Room { name: plan.name.clone(), ..Room::new(plan.kind, &entry, languages, member_count) };
        if plan.kind == RoomKind::Consult {
            room.hospital_translation = self.defaults.consult_translation;
        }
        (room, entry)
    }
}

/// What the caller reads in a room: what they ask for, or have chosen, or what their token says.
fn reading_language<'a>(
    caller: &'a Caller,
    profile: Option<&'a Profile>,
    asked: Option<&'a Language>,
) -> Option<&'a Language> {
    asked.or(profile.and_then(|profile| profile.language.as_ref())).or(caller.language.as_ref())
}

fn own<'a>(caller: &Caller, room: &Room, members: &'a [Member]) -> Result<&'a Member, Refusal> {
    let own = members.iter().find(|member| member.participant == *caller.participant());
    // Another caller's group has this id.
    own.ok_or_else(|| Action::CreateRoom.refusal(Relation::without_membership(&room.room_id, true)))
}

fn view(caller: &Caller, room: &Room, members: &[Member]) -> Result<RoomView, Refusal> {
    Ok(RoomView::new(room, own(caller, room, members)?, members))
}
