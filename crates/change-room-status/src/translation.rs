//! When somebody says how far they want a consult translated, then both sides read who did, and how far it is translated now.

use protocol::access::Action;
use protocol::chat::{Room, SystemEvent};
use protocol::wire::replies::RoomTranslationSet;
use protocol::wire::requests::SetRoomTranslation;
use shared::error::Error;
use shared::runtime::Caller;

use crate::route::{Change, ChangeRoom, Reply};

impl ChangeRoom {
    pub(crate) async fn translation(&self, caller: &Caller, request: SetRoomTranslation) -> Result<Reply, Error> {
        let SetRoomTranslation { room_id, translation: wanted } = request;
        let side = caller.participant();
        let after = |room: &Room| match side.is_hospital() {
            true => wanted.min(room.patient_translation),
            false => wanted.min(room.hospital_translation),
        };
        let (room, seq) = self
            .change(caller, Action::SetRoomTranslation, &room_id, |_, room| {
                let own = if side.is_hospital() { room.hospital_translation } else { room.patient_translation };
                if own == wanted {
                    return Ok(None);
                }
                let (rooms, room_id, side) = (self.membership.rooms.clone(), room.room_id.clone(), side.clone());
                let event = SystemEvent::TranslationChanged { from: room.translation(), to: after(room) };
                let parts = move |_| Ok(vec![rooms.want_translation(&room_id, &side, wanted)?]);
                Ok(Some(Change { event, parts: Box::new(parts) }))
            })
            .await?;
        Ok(Reply::Translation(RoomTranslationSet { translation: after(&room), room_id, seq }))
    }
}
