//! When a frame names no action of ours, then it is told what was wrong and which actions exist.

use protocol::access::Action;
use protocol::wire::{Code, Frame, Refusal};
use shared::error::Error;
use shared::runtime::{Caller, Request, Route};

/// The route.
pub struct UnknownAction;

/// A request that this route could do; there is none.
pub enum Known {}

impl Request for Known {
    fn parse(_frame: Frame) -> Result<Self, Refusal> {
        let actions = Action::ALL.map(Action::as_str).join(", ");
        Err(Refusal::new(Code::UnknownAction, format!("there is no such action; there are: {actions}")))
    }
}

impl Route for UnknownAction {
    type Request = Known;
    type Reply = ();

    async fn handle(&self, _caller: &Caller, request: Known) -> Result<(), Error> {
        match request {}
    }
}
