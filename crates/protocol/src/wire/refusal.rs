//! What a client is told when its request is not done.

use serde::Serialize;

use super::TranslationView;
use crate::chat::{FailureReason, InvalidText};

/// The error codes of the protocol.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ErrorCode"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not JSON, or a field missing, of the wrong type or out of range.
    BadRequest,
    /// No such action.
    UnknownAction,
    /// The token's `exp` has passed.
    SessionExpired,
    /// No such room or message, or none that the caller may know of.
    NotFound,
    /// A room that the caller may know of, but has not joined.
    NotAMember,
    /// A member, but not allowed to do this.
    Forbidden,
    /// The consult is closed.
    RoomClosed,
    /// Over the limits of a message.
    MessageTooLong,
    /// Too much at once.
    RateLimited,
    /// The idempotency key was used for another text.
    MessageIdTaken,
    /// Changed by somebody else meanwhile.
    Conflict,
    /// The translation service refused or is out of reach.
    TranslationUnavailable,
    /// Ours; nothing about the cause.
    Internal,
}

/// A request that is not done, by the caller's own doing.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// Which error.
    pub code: Code,
    /// One clear sentence for the person who can act on it.
    pub message: String,
    /// With `rate_limited`: how long to wait, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// With `translation_unavailable`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// With `conflict`: the translation as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<Box<TranslationView>>,
}

impl Refusal {
    /// With a code and a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None, reason: None, translation: None }
    }

    /// A field that is missing or wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// A text that is empty or too long.
    pub fn invalid_text(field: &str, error: InvalidText) -> Self {
        let code = match error {
            InvalidText::Empty => Code::BadRequest,
            InvalidText::TooLong { .. } => Code::MessageTooLong,
        };
        Self::new(code, format!("`{field}`: {error}"))
    }

    /// The room is not there, or the caller may not know of it: both read alike.
    pub fn no_such_room() -> Self {
        Self::new(Code::NotFound, "there is no such room")
    }

    /// The room has no such entry.
    pub fn no_such_message() -> Self {
        Self::new(Code::NotFound, "this room has no message with this seq")
    }

    /// A member, but not allowed to do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// Too much at once.
    pub fn rate_limited(message: impl Into<String>, retry_after: std::time::Duration) -> Self {
        let retry_after_ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { retry_after_ms: Some(retry_after_ms), ..Self::new(Code::RateLimited, message) }
    }

    /// There is no translation to give.
    pub fn translation_unavailable(reason: FailureReason) -> Self {
        Self { reason: Some(reason), ..Self::new(Code::TranslationUnavailable, reason.sentence()) }
    }

    /// Ours; the cause is in the log.
    pub fn internal() -> Self {
        Self::new(Code::Internal, "something went wrong on our side; the request can be repeated unchanged")
    }
}
