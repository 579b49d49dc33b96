//! Which of the two actions is asked for.

use shared::runtime;
use shared::wire::requests::{GetFailedTranslations, GetUsage};
use shared::wire::{Frame, Refusal};

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
