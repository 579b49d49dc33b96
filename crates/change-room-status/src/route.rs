//! When somebody moves a consult on, then the room, the hospital's list and the log say so at the same instant.

use serde::{Deserialize, Serialize};
use shared::chat::{Entry, Room, RoomStatus, SystemEvent};
use shared::clock::Clock;
use shared::error::Error;
use shared::ids::{Participant, RoomId, Seq};
use shared::runtime::{Caller, Route};
use shared::seats::Seats;
use shared::table::{Appended, Log};
use shared::tries::Tries;
use shared::wire::Refusal;

/// The route and its doors.
pub struct ChangeRoomStatus {
    pub seats: Seats,
    pub log: Log,
    pub clock: Clock,
}

#[derive(Deserialize)]
pub struct Request {
    room_id: RoomId,
    status: RoomStatus,
}

#[derive(Serialize)]
pub struct Reply {
    room_id: RoomId,
    status: RoomStatus,
    seq: Seq,
}

impl Route for ChangeRoomStatus {
    type Request = Request;
    type Reply = Reply;

    async fn answer(&self, caller: &Caller, Request { room_id, status }: Request) -> Result<Reply, Error> {
        let mut tries = Tries::default();
        loop {
            let (seat, tail) =
                tokio::join!(self.seats.with_room(&room_id, caller.participant()), self.log.tail(&room_id, 1));
            let ((_, room), tail) = (seat?, tail?);
            let hospital = permitted(caller, &room, status)?;
            if room.status == status {
                return Ok(Reply { room_id, status, seq: room.status_seq });
            }
            let event = SystemEvent::StatusChanged { from: room.status, to: status };
            let entry = Entry::system(room_id.clone(), tail.first(), caller.sender.clone(), event, self.clock.now());
            let parts = vec![
                self.seats.rooms.change_status(&room_id, room.status, status, entry.seq)?,
                self.seats.members.change_list(&room_id, &hospital, status)?,
            ];
            match self.log.append(&entry, parts).await? {
                Appended::Done => return Ok(Reply { room_id, status, seq: entry.seq }),
                Appended::Again { .. } => tries.again().await?,
            }
        }
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
