//! Which of the two actions is asked for.

use protocol::access::Action;
use protocol::wire::Frame;
use protocol::wire::requests::{GetFailedTranslations, GetUsage};
use shared::error::Error;
use shared::runtime;

/// Which of the two.
pub enum Request {
    /// `getUsage`
    Usage(GetUsage),
    /// `getFailedTranslations`
    Failed(GetFailedTranslations),
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Error> {
        match frame.action {
            Some(Action::GetUsage) => Ok(Self::Usage(frame.fields()?)),
            Some(Action::GetFailedTranslations) => Ok(Self::Failed(frame.fields()?)),
            other => Err(runtime::unserved_action(other)),
        }
    }
}
