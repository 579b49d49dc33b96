//! What a client is told when its request is not done.

use serde::Serialize;

use super::TranslationView;
use crate::chat::{FailureReason, InvalidText};

/// The error codes of the protocol.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ErrorCode"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The frame is not JSON, or a field is missing, has the wrong type or is out of range. `message` names the field.
    BadRequest,
    /// The action does not exist. `message` lists the actions.
    UnknownAction,
    /// The token has expired and was not refreshed. Reconnect with a new one.
    SessionExpired,
    /// The room or message does not exist, or the caller may not know of it.
    NotFound,
    /// The room is a group or open room that the caller has not joined.
    NotAMember,
    /// The caller is not allowed to do this.
    Forbidden,
    /// The consult is closed. Its hospital can reopen it.
    RoomClosed,
    /// The text exceeds 4,000 characters or 16 KB.
    MessageTooLong,
    /// Too many requests. Retry after `retry_after_ms`.
    RateLimited,
    /// This `message_id` was already used for another message.
    MessageIdTaken,
    /// Someone else has corrected the translation meanwhile.
    Conflict,
    /// The translation failed, for the given `reason`.
    TranslationUnavailable,
    /// A failure on the server. Repeat the request unchanged.
    Internal,
}

/// A request that is not done, by the caller's own doing.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// Which error.
    pub code: Code,
    /// One sentence for the person who can act on it.
    pub message: String,
    /// With `rate_limited`: the time to wait, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// With `translation_unavailable`: the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// With `conflict`: the current translation.
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
        Self::new(Code::NotFound, "room not found")
    }

    /// The room has no such entry.
    pub fn no_such_message() -> Self {
        Self::new(Code::NotFound, "no message with this `seq` in the room")
    }

    /// The caller is not allowed to do this.
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
        Self::new(Code::Internal, "internal error; retry the request unchanged")
    }
}
