//! `setRoomTranslation`: sets one side's translation setting; the log shows both sides the effective one.

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
                let rooms = self.membership.rooms.clone();
                let room_id = room.room_id.clone();
                let side = side.clone();
                let event = SystemEvent::TranslationChanged { from: room.translation(), to: after(room) };
                let writes = move |_| Ok(vec![rooms.set_translation(&room_id, &side, wanted)?]);
                Ok(Some(Change { event, writes: Box::new(writes) }))
            })
            .await?;
        Ok(Reply::Translation(RoomTranslationSet { translation: after(&room), room_id, seq }))
    }
}
