//! Refuses a frame whose action does not exist, and lists those that do.

use protocol::access::Action;
use protocol::wire::{Code, Frame, Refusal};
use shared::error::Error;
use shared::runtime::{Caller, Request, Route};

pub struct UnknownAction;

/// Cannot be made: no request succeeds here.
pub enum NoRequest {}

impl Request for NoRequest {
    fn parse(_frame: Frame) -> Result<Self, Error> {
        let actions = Action::ALL.map(Action::as_str).join(", ");
        Err(Refusal::new(Code::UnknownAction, format!("unknown action; supported actions: {actions}")).into())
    }
}

impl Route for UnknownAction {
    type Request = NoRequest;
    type Reply = ();

    async fn handle(&self, _caller: &Caller, request: NoRequest) -> Result<(), Error> {
        match request {}
    }
}
