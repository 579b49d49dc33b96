//! The fields of the three actions.

use protocol::wire::requests::RefreshSession;
use protocol::wire::{Frame, Refusal};
use shared::runtime;

/// Which of the three.
pub enum Request {
    /// `refreshSession`
    Refresh(RefreshSession),
    /// `signOutEverywhere`
    SignOut,
    /// `createTicket`
    Ticket,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Refusal> {
        Ok(match frame.action.as_str() {
            "refreshSession" => Self::Refresh(frame.fields()?),
            "signOutEverywhere" => Self::SignOut,
            _ => Self::Ticket,
        })
    }
}
