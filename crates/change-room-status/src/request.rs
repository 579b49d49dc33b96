//! The two actions and their fields.

use protocol::access::Action;
use protocol::wire::Frame;
use protocol::wire::requests::{ChangeRoomStatus, SetRoomTranslation};
use shared::error::Error;
use shared::runtime;

pub enum Request {
    /// `changeRoomStatus`
    Status(ChangeRoomStatus),
    /// `setRoomTranslation`
    Translation(SetRoomTranslation),
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Error> {
        match frame.action {
            Some(Action::ChangeRoomStatus) => Ok(Self::Status(frame.fields()?)),
            Some(Action::SetRoomTranslation) => Ok(Self::Translation(frame.fields()?)),
            other => Err(runtime::unserved_action(other)),
        }
    }
}
