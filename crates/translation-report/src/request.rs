//! Which of the two actions is asked for.

use protocol::wire::requests::{GetFailedTranslations, GetUsage};
use protocol::wire::{Frame, Refusal};
use shared::runtime;

/// Which of the two.
pub enum Request {
    /// `getUsage`
    Usage(GetUsage),
    /// `getFailedTranslations`
    Failed(GetFailedTranslations),
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Refusal> {
        match frame.action.as_str() {
            "getFailedTranslations" => Ok(Self::Failed(frame.fields()?)),
            _ => Ok(Self::Usage(frame.fields()?)),
        }
    }
}
