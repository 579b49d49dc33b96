//! Checks that a caller is a member of a room. What members may do there is decided by [`protocol::access`].

use crate::adapters::dynamodb::{Members, Rooms};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::error::Error;
use protocol::access::{Action, Relation};
use protocol::chat::{Member, Room};
use protocol::ids::{Participant, RoomId};

/// Looks up members.
#[derive(Debug, Clone)]
pub struct Membership {
    pub rooms: Rooms,
    pub members: Members,
}

impl Membership {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { rooms: Rooms::open(aws)?, members: Members::open(aws)? })
    }

    /// The participant's member row and the room, read concurrently. Refuses anybody who is no member or may not do
    /// this.
    pub async fn with_room(
        &self,
        action: Action,
        room_id: &RoomId,
        participant: &Participant,
    ) -> Result<(Member, Room), Error> {
        let (member, room) = tokio::try_join!(self.members.get(room_id, participant), self.rooms.get(room_id))?;
        match (member, room) {
            (Some(member), Some(room)) => {
                action.admits(Relation::of_member(&member))?;
                Ok((member, room))
            }
            (_, room) => Err(action.refusal(Relation::without_membership(room_id, room.is_some())).into()),
        }
    }

    /// The member row alone; the room is read only to tell why there is none.
    pub async fn of(&self, action: Action, room_id: &RoomId, participant: &Participant) -> Result<Member, Error> {
        if let Some(member) = self.members.get(room_id, participant).await? {
            action.admits(Relation::of_member(&member))?;
            return Ok(member);
        }
        let exists = room_id.is_discoverable() && self.rooms.get(room_id).await?.is_some();
        Err(action.refusal(Relation::without_membership(room_id, exists)).into())
    }
}
