//! Parses the fields of `getUsage` and `getFailedTranslations`.

use protocol::access::Action;
use protocol::wire::Frame;
use protocol::wire::requests::{GetFailedTranslations, GetUsage};
use shared::error::Error;
use shared::runtime;

pub enum Request {
    Usage(GetUsage),
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
