//! When somebody moves a consult on, then also the hospital's list says so.

use shared::chat::{Room, RoomStatus, SystemEvent};
use shared::error::Error;
use shared::ids::Participant;
use shared::runtime::Caller;
use shared::wire::Refusal;

use crate::request::Status;
use crate::route::{Change, ChangeRoom, Reply};

impl ChangeRoom {
    pub(crate) async fn status(&self, caller: &Caller, Status { room_id, status }: Status) -> Result<Reply, Error> {
        let (room, seq) = self
            .change(caller, &room_id, |room| {
                let hospital = permitted(caller, room, status)?;
                if room.status == status {
                    return Ok(None);
                }
                let (rooms, members) = (self.seats.rooms.clone(), self.seats.members.clone());
                let (room_id, from) = (room.room_id.clone(), room.status);
                let parts = move |seq| {
                    Ok(vec![
                        rooms.change_status(&room_id, from, status, seq)?,
                        members.change_list(&room_id, &hospital, status)?,
                    ])
                };
                Ok(Some(Change { event: SystemEvent::StatusChanged { from, to: status }, parts: Box::new(parts) }))
            })
            .await?;
        Ok(Reply::Status { room_id, status, seq: seq.unwrap_or(room.status_seq) })
    }
}

/// Only the hospital moves a consult on, but a user may close their own. Gives back the hospital's seat.
fn permitted(caller: &Caller, room: &Room, status: RoomStatus) -> Result<Participant, Refusal> {
    match (room.room_id.hospital(), caller.participant()) {
        (Some(hospital), Participant::Hospital(_)) => Ok(Participant::Hospital(hospital.clone())),
        (Some(hospital), Participant::User(_)) if status == RoomStatus::Closed => {
            Ok(Participant::Hospital(hospital.clone()))
        }
        (Some(_), Participant::User(_)) => {
            Err(Refusal::forbidden("only the hospital changes a consult's status; you may close it"))
        }
        (None, _) => Err(Refusal::forbidden("only consults have a status that can be changed")),
    }
}
