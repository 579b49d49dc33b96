//! The two actions and their fields.

use protocol::access::Action;
use protocol::wire::Frame;
use protocol::wire::requests::{JoinGroup, SetLanguage};
use shared::error::Error;
use shared::runtime;

pub enum Request {
    /// `joinGroup`
    Join(JoinGroup),
    /// `setLanguage`
    SetLanguage(SetLanguage),
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Error> {
        match frame.action {
            Some(Action::JoinGroup) => Ok(Self::Join(frame.fields()?)),
            Some(Action::SetLanguage) => Ok(Self::SetLanguage(frame.fields()?)),
            other => Err(runtime::unserved_action(other)),
        }
    }
}
