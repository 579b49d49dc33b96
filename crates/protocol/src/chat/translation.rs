//! The translation of one message into one language.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::UserId;

/// The origin of a translation.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslationSource {
    /// Machine translation.
    Deepl,
    /// A person's correction, which takes precedence over machine translation.
    Person,
    /// An earlier correction of the same text by a person of the same hospital.
    Memory,
}

/// The outcome of a translation.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslationStatus {
    /// Translated.
    Ok,
    /// The message is already in this language; the text is the original.
    Same,
    /// Not translated, for a [`FailureReason`].
    Failed,
}

/// Why a translation failed.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The account's quota is exhausted (DeepL's 456).
    Quota,
    /// Unreachable or overloaded, after several attempts.
    Unavailable,
    /// The text exceeds DeepL's size limit (413).
    TooLong,
    /// DeepL does not support the language.
    UnsupportedLanguage,
    /// DeepL rejected the request (400, 403 …).
    Rejected,
    /// The result lost a number or an address of the text.
    Unfaithful,
    /// The sender reached the limit of automatic translation per person.
    RateLimited,
}

impl FailureReason {
    /// The message for the user.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Quota => "translation quota is exhausted; try again later",
            Self::Unavailable => "translation service is unavailable; try again shortly",
            Self::TooLong => "text is too long to translate",
            Self::UnsupportedLanguage => "language is not supported by the translation service",
            Self::Rejected => "request was rejected by the translation service",
            Self::Unfaithful => "translation was discarded because it lost a number or an address",
            Self::RateLimited => "automatic-translation limit reached; request it manually",
        }
    }

    /// Whether operators should be alerted. Failures that a single sender causes are not worth an alert.
    pub fn is_for_operators(self) -> bool {
        !matches!(self, Self::RateLimited | Self::UnsupportedLanguage)
    }
}

/// A translation as a message stores it; clients see it together with its language.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TranslationBody"))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// The text; absent if translation failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where it comes from.
    pub source: TranslationSource,
    /// The outcome.
    pub status: TranslationStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// Incremented with every change; clients keep the highest.
    pub version: u32,
    /// When it was made.
    pub at: Timestamp,
    /// The person who corrected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The machine translation that a person corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_text: Option<String>,
}

impl Translation {
    /// A machine translation.
    pub fn by_machine(text: String, version: u32, at: Timestamp) -> Self {
        Self {
            text: Some(text),
            source: TranslationSource::Deepl,
            status: TranslationStatus::Ok,
            reason: None,
            version,
            at,
            by: None,
            machine_text: None,
        }
    }

    /// An earlier correction of the same text.
    pub fn by_memory(text: String, version: u32, at: Timestamp) -> Self {
        Self { source: TranslationSource::Memory, ..Self::by_machine(text, version, at) }
    }

    /// The message is already in this language.
    pub fn same(text: String, version: u32, at: Timestamp) -> Self {
        Self { status: TranslationStatus::Same, ..Self::by_machine(text, version, at) }
    }

    /// A failed translation.
    pub fn failed(reason: FailureReason, version: u32, at: Timestamp) -> Self {
        Self {
            text: None,
            source: TranslationSource::Deepl,
            status: TranslationStatus::Failed,
            reason: Some(reason),
            version,
            at,
            by: None,
            machine_text: None,
        }
    }

    /// A person's correction of this translation, which keeps the machine's text.
    pub fn corrected(&self, text: String, by: UserId, at: Timestamp) -> Self {
        let machine_text = match self.source {
            TranslationSource::Deepl => self.text.clone(),
            TranslationSource::Person | TranslationSource::Memory => self.machine_text.clone(),
        };
        let machine = Self::by_machine(text, self.version + 1, at);
        Self { source: TranslationSource::Person, by: Some(by), machine_text, ..machine }
    }

    /// Whether it is final for machine translation: only a failed one is retried.
    pub fn is_settled(&self) -> bool {
        self.status != TranslationStatus::Failed
    }
}

/// Debug output never contains message text.
impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Translation({:?} by {:?}, version {})", self.status, self.source, self.version)
    }
}
