//! The fields of the two actions.

use serde::Deserialize;
use shared::chat::{RoomStatus, TranslationMode};
use shared::ids::RoomId;
use shared::runtime;
use shared::wire::{Frame, Refusal};

/// Which of the two.
pub enum Request {
    /// `changeRoomStatus`
    Status(Status),
    /// `setRoomTranslation`
    Translation(Translation),
}

#[derive(Deserialize)]
pub struct Status {
    pub room_id: RoomId,
    pub status: RoomStatus,
}

#[derive(Deserialize)]
pub struct Translation {
    pub room_id: RoomId,
    pub translation: TranslationMode,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Refusal> {
        match frame.action.as_str() {
            "setRoomTranslation" => Ok(Self::Translation(frame.fields()?)),
            _ => Ok(Self::Status(frame.fields()?)),
        }
    }
}
