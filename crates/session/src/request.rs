//! The three actions and their fields.

use protocol::access::Action;
use protocol::wire::Frame;
use protocol::wire::requests::RefreshSession;
use shared::error::Error;
use shared::runtime;

pub enum Request {
    /// `refreshSession`
    Refresh(RefreshSession),
    /// `signOutEverywhere`
    SignOut,
    /// `createTicket`
    Ticket,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Error> {
        match frame.action {
            Some(Action::RefreshSession) => Ok(Self::Refresh(frame.fields()?)),
            Some(Action::SignOutEverywhere) => Ok(Self::SignOut),
            Some(Action::CreateTicket) => Ok(Self::Ticket),
            other => Err(runtime::unserved_action(other)),
        }
    }
}
