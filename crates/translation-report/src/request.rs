//! The fields of the two actions.

use serde::Deserialize;
use shared::runtime;
use shared::wire::{Frame, PageSize, Refusal};

use crate::cursor::Cursor;

/// Which of the two.
pub enum Request {
    /// `getUsage`
    Usage(Option<Month>),
    /// `getFailedTranslations`
    Failed(Page),
}

/// A month, `2026-11`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct Month(pub String);

impl TryFrom<String> for Month {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        let valid = text
            .split_once('-')
            .is_some_and(|(year, month)| digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month));
        if valid { Ok(Self(text)) } else { Err("must be a month such as `2026-11`") }
    }
}

/// A page of what failed.
#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    pub limit: PageSize,
    pub cursor: Option<Cursor>,
}

#[derive(Deserialize)]
struct UsageFields {
    month: Option<Month>,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Refusal> {
        if frame.action == "getFailedTranslations" {
            return Ok(Self::Failed(frame.fields()?));
        }
        let UsageFields { month } = frame.fields()?;
        Ok(Self::Usage(month))
    }
}
