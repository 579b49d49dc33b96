//! What is said and by whom: pure values, the same on the wire and in the tables.

mod entry;
mod room;
mod text;
mod translation;

pub use entry::{Entry, EntryKind, Sender, SystemEvent};
pub use room::{LastMessage, Member, Room};
pub(crate) use text::preview;
pub use text::{InvalidText, MessageText, RoomName};
pub use translation::{FailureReason, Translation, TranslationSource, TranslationStatus};

use serde::{Deserialize, Serialize};

/// What kind of conversation a room is.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// A user and a hospital.
    Consult,
    /// Two users.
    Direct,
    /// Members with roles.
    Group,
    /// Anyone signed in who joins.
    Open,
}

/// Where a consult stands. Rooms of the other kinds stay `in_progress`.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomStatus {
    /// Nobody of the hospital has taken it up.
    Waiting,
    /// Being talked in.
    InProgress,
    /// Paused by the hospital.
    OnHold,
    /// Over: refuses messages until the hospital reopens it.
    Closed,
}

impl RoomStatus {
    /// As on the wire and in the keys of the `by-status` index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::OnHold => "on_hold",
            Self::Closed => "closed",
        }
    }
}

/// Whether a consult's messages are translated. They leave the country for that, so its people decide.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslationMode {
    /// Never.
    Off,
    /// When somebody asks for it.
    OnRequest,
    /// Each message by itself.
    #[default]
    Auto,
}

impl TranslationMode {
    /// As on the wire and in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::OnRequest => "on_request",
            Self::Auto => "auto",
        }
    }
}

impl std::str::FromStr for TranslationMode {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Off, Self::OnRequest, Self::Auto];
        all.into_iter().find(|mode| mode.as_str() == text).ok_or("must be `auto`, `on_request` or `off`")
    }
}

/// What a member may do in its room.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who created a group.
    Owner,
    /// May manage a group's members.
    Admin,
    /// Reads and writes.
    Member,
    /// The user's side of a consult.
    Patient,
    /// The hospital's side of a consult.
    Staff,
}
