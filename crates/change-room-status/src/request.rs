//! Which of the two actions is asked for.

use protocol::wire::requests::{ChangeRoomStatus, SetRoomTranslation};
use protocol::wire::{Frame, Refusal};
use shared::runtime;

/// Which of the two.
pub enum Request {
    /// `changeRoomStatus`
    Status(ChangeRoomStatus),
    /// `setRoomTranslation`
    Translation(SetRoomTranslation),
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Refusal> {
        match frame.action.as_str() {
            "setRoomTranslation" => Ok(Self::Translation(frame.fields()?)),
            _ => Ok(Self::Status(frame.fields()?)),
        }
    }
}
