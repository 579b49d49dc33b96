//! When somebody moves a consult on, then also the hospital's list says so.

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
                let (rooms, members) = (self.membership.rooms.clone(), self.membership.members.clone());
                let (room_id, from) = (room.room_id.clone(), room.status);
                let parts = move |seq| {
                    let mut parts = vec![rooms.change_status(&room_id, from, status, seq)?];
                    if let Some(hospital) = room_id.hospital() {
                        parts.push(members.change_list(&room_id, &Participant::Hospital(hospital.clone()), status)?);
                    }
                    Ok(parts)
                };
                Ok(Some(Change { event: SystemEvent::StatusChanged { from, to: status }, parts: Box::new(parts) }))
            })
            .await?;
        Ok(Reply::Status(RoomStatusChanged { room_id, status, seq: seq.unwrap_or(room.status_seq) }))
    }
}
