//! The outcome of translating one message.

use protocol::chat::FailureReason;
use protocol::language::Language;

/// One message's translation.
#[derive(Clone)]
pub struct Translated {
    pub text: String,
    /// The source language that DeepL detected.
    pub detected: Option<Language>,
    pub billed_characters: u64,
    /// Identifies the request to DeepL's support.
    pub trace_id: Option<String>,
}

/// One message's failed translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    /// DeepL bills what it translated, even if the result is unusable.
    pub billed_characters: u64,
}

impl Failure {
    /// A failure that cost nothing.
    pub fn unbilled(reason: FailureReason) -> Self {
        Self { reason, billed_characters: 0 }
    }
}
