//! The kinds and states of rooms, and the roles of their members.

use serde::{Deserialize, Serialize};

/// The kind of a room.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// A user and a hospital.
    Consult,
    /// Two users.
    Direct,
    /// Members with roles.
    #[default]
    Group,
    /// Open to anyone who is signed in.
    Open,
}

/// The status of a consult. Rooms of other kinds are always `in_progress`.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomStatus {
    /// The hospital has not taken it up yet.
    Waiting,
    /// The conversation is active.
    #[default]
    InProgress,
    /// Paused by the hospital.
    OnHold,
    /// Closed: messages are refused until the hospital reopens it.
    Closed,
}

impl RoomStatus {
    /// The name on the wire and in the keys of the `by-status` index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::OnHold => "on_hold",
            Self::Closed => "closed",
        }
    }
}

/// Whether a consult's messages are translated. Translation sends them abroad, so both sides decide.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslationMode {
    /// Never.
    Off,
    /// Only on request.
    OnRequest,
    /// Automatically, every message.
    #[default]
    Auto,
}

impl TranslationMode {
    /// The name on the wire and in the tables.
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

/// The role of a member.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Created the group.
    Owner,
    /// Manages the group's members.
    Admin,
    /// Reads and writes.
    #[default]
    Member,
    /// The user's side of a consult.
    Patient,
    /// The hospital's side of a consult.
    Staff,
}
