//! The translation of one message into one language.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::UserId;

/// Who made a translation.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslationSource {
    /// The machine.
    Deepl,
    /// A person, whose word wins over the machine's.
    Person,
    /// What a person of the same hospital once made of the same sentence.
    Memory,
}

/// How it went.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslationStatus {
    /// There is a text.
    Ok,
    /// The message already was in this language; the text is the message's own.
    Same,
    /// There is none, for a [`FailureReason`].
    Failed,
}

/// Why a translation failed.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The account's characters are used up (DeepL's 456).
    Quota,
    /// Out of reach or overloaded, after several tries.
    Unavailable,
    /// The text is over what DeepL takes (413).
    TooLong,
    /// DeepL does not offer the language.
    UnsupportedLanguage,
    /// DeepL refused the request (400, 403 …).
    Rejected,
    /// What came back had lost a number or an address of the text.
    Unfaithful,
    /// Who wrote it has had as much translated by itself as one person may for now.
    RateLimited,
}

impl FailureReason {
    /// The sentence that tells a person.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Quota => "the translation quota is used up for now",
            Self::Unavailable => "the translation service is out of reach; try again in a moment",
            Self::TooLong => "the text is too long to be translated",
            Self::UnsupportedLanguage => "the translation service does not offer this language",
            Self::Rejected => "the translation service refused the request",
            Self::Unfaithful => "the translation lost a number or an address of the text, so it is not shown",
            Self::RateLimited => "this was too much text at once to be translated by itself; it can be asked for",
        }
    }

    /// Whether whoever runs the stack should hear of it: not of what one writer brings about.
    pub fn is_for_operators(self) -> bool {
        !matches!(self, Self::RateLimited | Self::UnsupportedLanguage)
    }
}

/// One translation, as the `translations` map of a message holds it and as clients see it beside its language.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TranslationBody"))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// The text; absent where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who made it.
    pub source: TranslationSource,
    /// How it went.
    pub status: TranslationStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// Grows by one with every change: clients keep the highest.
    pub version: u32,
    /// When it was made.
    pub at: Timestamp,
    /// The person who corrected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// What the machine had made of it, where a person corrected that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_text: Option<String>,
}

impl Translation {
    /// What the machine made of the message.
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

    /// What a person once made of the same sentence.
    pub fn by_memory(text: String, version: u32, at: Timestamp) -> Self {
        Self { source: TranslationSource::Memory, ..Self::by_machine(text, version, at) }
    }

    /// The message is in this language already.
    pub fn same(text: String, version: u32, at: Timestamp) -> Self {
        Self { status: TranslationStatus::Same, ..Self::by_machine(text, version, at) }
    }

    /// There is none.
    pub fn failed(reason: FailureReason, version: u32, at: Timestamp) -> Self {
        let source = TranslationSource::Deepl;
        let (status, reason) = (TranslationStatus::Failed, Some(reason));
        Self { text: None, source, status, reason, version, at, by: None, machine_text: None }
    }

    /// A person's correction of this one. What the machine said stays beside it.
    pub fn corrected(&self, text: String, by: UserId, at: Timestamp) -> Self {
        let machine_text = match self.source {
            TranslationSource::Deepl => self.text.clone(),
            TranslationSource::Person | TranslationSource::Memory => self.machine_text.clone(),
        };
        let machine = Self::by_machine(text, self.version + 1, at);
        Self { source: TranslationSource::Person, by: Some(by), machine_text, ..machine }
    }

    /// Whether the machine may still (try to) replace it: only what failed.
    pub fn is_settled(&self) -> bool {
        self.status != TranslationStatus::Failed
    }
}

/// What people say is never printed, not even by accident.
impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Translation({:?} by {:?}, version {})", self.status, self.source, self.version)
    }
}
