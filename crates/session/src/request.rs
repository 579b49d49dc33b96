//! The fields of the three actions.

use serde::Deserialize;
use shared::runtime;
use shared::wire::{Frame, Refusal};

/// Which of the three.
pub enum Request {
    /// `refreshSession`
    Refresh(Fresh),
    /// `signOutEverywhere`
    SignOut,
    /// `createTicket`
    Ticket,
}

/// A fresh token of the same person. It is never printed.
#[derive(Deserialize)]
pub struct Fresh {
    pub token: String,
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
