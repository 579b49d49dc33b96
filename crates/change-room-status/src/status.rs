//! `changeRoomStatus`: also moves the consult in the hospital's list.

use protocol::access::{Action, Condition};
use protocol::chat::{RoomStatus, SystemEvent};
use protocol::ids::Participant;
use protocol::wire::replies::RoomStatusChanged;
use protocol::wire::requests::ChangeRoomStatus;
use shared::error::Error;
use shared::runtime::Caller;

use crate::route::{Change, ChangeRoom, Reply};

impl ChangeRoom {
    pub(crate) async fn status(
        &self,
        caller: &Caller,
        ChangeRoomStatus { room_id, status }: ChangeRoomStatus,
    ) -> Result<Reply, Error> {
        let (room, seq) = self
            .change(caller, Action::ChangeRoomStatus, &room_id, |relation, room| {
                let closing = (status == RoomStatus::Closed).then_some(Condition::Closing);
                Action::ChangeRoomStatus.permits(relation, closing)?;
                if room.status == status {
                    return Ok(None);
                }
                let rooms = self.membership.rooms.clone();
                let members = self.membership.members.clone();
                let room_id = room.room_id.clone();
                let from = room.status;
                let writes = move |seq| {
                    let mut writes = vec![rooms.change_status(&room_id, from, status, seq)?];
                    if let Some(hospital) = room_id.hospital() {
                        writes.push(members.change_list(&room_id, &Participant::Hospital(hospital.clone()), status)?);
                    }
                    Ok(writes)
                };
                Ok(Some(Change { event: SystemEvent::StatusChanged { from, to: status }, writes: Box::new(writes) }))
            })
            .await?;
        Ok(Reply::Status(RoomStatusChanged { room_id, status, seq: seq.unwrap_or(room.status_seq) }))
    }
}
