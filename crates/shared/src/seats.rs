//! Who may see a room at all: who has a seat in it.

use crate::chat::{Member, Room};
use crate::error::Error;
use crate::ids::{Participant, RoomId};
use crate::table::{Members, Rooms, TableError};
use crate::wire::{Code, Refusal};

/// Looks up seats.
#[derive(Debug, Clone)]
pub struct Seats {
    /// The rooms.
    pub rooms: Rooms,
    /// The seats in them.
    pub members: Members,
}

impl Seats {
    /// The participant's seat and the room, read side by side; refused where there is no seat.
    pub async fn with_room(&self, room_id: &RoomId, participant: &Participant) -> Result<(Member, Room), Error> {
        let (member, room) = tokio::try_join!(self.members.get(room_id, participant), self.rooms.get(room_id))?;
        match (member, room) {
            (Some(member), Some(room)) => Ok((member, room)),
            (_, room) => Err(no_seat(room_id, room.is_some()).into()),
        }
    }

    /// The participant's seat alone; the room is read only to tell why there is none.
    pub async fn of(&self, room_id: &RoomId, participant: &Participant) -> Result<Member, Error> {
        match self.members.get(room_id, participant).await? {
            Some(member) => Ok(member),
            None => Err(self.refusal(room_id).await?.into()),
        }
    }

    async fn refusal(&self, room_id: &RoomId) -> Result<Refusal, TableError> {
        let exists = room_id.may_be_known_of() && self.rooms.get(room_id).await?.is_some();
        Ok(no_seat(room_id, exists))
    }
}

/// Somebody else's consult reads like one that does not exist; a group or an open room may be known of.
fn no_seat(room_id: &RoomId, exists: bool) -> Refusal {
    if exists && room_id.may_be_known_of() {
        Refusal::new(Code::NotAMember, "you have not joined this room; joinGroup does")
    } else {
        Refusal::no_such_room()
    }
}
