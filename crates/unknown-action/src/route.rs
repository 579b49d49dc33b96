//! When a frame names no action of ours, then it is told what was wrong and which actions exist.

use shared::error::Error;
use shared::runtime::{Caller, Request, Route};
use shared::wire::{Code, Frame, Refusal};

/// The route.
pub struct UnknownAction;

/// The route keys of `template.yaml`.
const ACTIONS: [&str; 16] = [
    "createRoom",
    "joinGroup",
    "sendMessage",
    "getChatHistory",
    "getRoomList",
    "changeRoomStatus",
    "markRead",
    "sync",
    "translateMessage",
    "setTranslatedMessage",
    "setRoomTranslation",
    "getUsage",
    "getFailedTranslations",
    "refreshSession",
    "signOutEverywhere",
    "createTicket",
];

/// A request that this route could do; there is none.
pub enum Known {}

impl Request for Known {
    fn parse(_frame: Frame) -> Result<Self, Refusal> {
        Err(Refusal::new(Code::UnknownAction, format!("there is no such action; there are: {}", ACTIONS.join(", "))))
    }
}

impl Route for UnknownAction {
    type Request = Known;
    type Reply = ();

    async fn answer(&self, _caller: &Caller, request: Known) -> Result<(), Error> {
        match request {}
    }
}
