//! The fields of every action's request.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::{Month, PageSize};
use crate::chat::{RoomKind, RoomName, RoomStatus, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{HospitalId, LogPosition, MessageId, OpenName, Participant, RoomId, Seq, UserId};
use crate::language::Language;

/// `createRoom`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateRoom {
    /// `consult`, `direct` or `group`; an open room is created by joining it.
    pub kind: RoomKind,
    /// For a consult, when a user opens it: the hospital.
    pub hospital_id: Option<HospitalId>,
    /// For a consult, when a hospital opens it: the patient. For a direct room: the other user.
    pub user_id: Option<UserId>,
    /// For a group: its name.
    pub name: Option<RoomName>,
    /// For a group: its other members, at most 89.
    pub members: Option<BTreeSet<Participant>>,
    /// For a group: `room:<uuid>`, which makes repeating the request safe.
    pub room_id: Option<RoomId>,
    /// The language the caller reads in this room.
    pub language: Option<Language>,
}

/// `joinGroup`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JoinGroup {
    /// A room, or the bare name of an open one. Also accepted as `room_id` and `groupId`.
    #[serde(alias = "groupId", alias = "room_id", deserialize_with = "room_or_name")]
    pub group_id: RoomId,
}

/// A room id, or the bare name of an open room.
fn room_or_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RoomId, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<OpenName>() {
        Ok(name) => Ok(RoomId::Open(name)),
        Err(_) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// `sendMessage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SendMessage {
    /// At most 4,000 characters and 16 KB.
    pub message: String,
    /// The room; by default, the one this connection joined last.
    pub room_id: Option<RoomId>,
    /// A fresh UUID per message, the same for every attempt.
    pub message_id: Option<MessageId>,
    /// The language of the message; by default, the caller's.
    pub language: Option<Language>,
    /// The entry this message replies to.
    pub reply_to: Option<Seq>,
}

/// `getChatHistory`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetChatHistory {
    /// The room.
    pub room_id: RoomId,
    /// Entries before this one.
    pub before_seq: Option<Seq>,
    /// Entries after this one; not together with `before_seq`.
    pub after_seq: Option<LogPosition>,
    /// Page size: 1 to 100, by default 30.
    #[serde(default)]
    pub limit: PageSize,
    /// Only entries whose text or translation contains this.
    pub query: Option<String>,
    /// Only entries from this time on.
    pub from: Option<Timestamp>,
    /// Only entries up to this time.
    pub to: Option<Timestamp>,
}

/// `getRoomList`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetRoomList {
    /// Only rooms with this status.
    pub status: Option<RoomStatus>,
    /// Page size: 1 to 100, by default 30.
    #[serde(default)]
    pub limit: PageSize,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// `changeRoomStatus`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeRoomStatus {
    /// The consult.
    pub room_id: RoomId,
    /// The new status.
    pub status: RoomStatus,
}

/// `setRoomTranslation`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetRoomTranslation {
    /// The consult.
    pub room_id: RoomId,
    /// The setting of the caller's side.
    pub translation: TranslationMode,
}

/// `markRead`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkRead {
    /// The room.
    pub room_id: RoomId,
    /// The last entry read. Beyond the end of the log, it counts as its end.
    pub seq: Seq,
}

/// `sync`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sync {
    /// For at most 50 rooms, the highest `seq` the client has.
    pub rooms: BTreeMap<RoomId, LogPosition>,
}

/// `translateMessage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranslateMessage {
    /// The room.
    pub room_id: RoomId,
    /// The message.
    pub seq: Seq,
    /// The language to translate into.
    pub language: Language,
}

/// `setTranslatedMessage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetTranslatedMessage {
    /// The room.
    pub room_id: RoomId,
    /// The message.
    pub seq: Seq,
    /// The language of the translation.
    pub language: Language,
    /// The corrected translation, at most 4,000 characters and 16 KB.
    pub translated_message: String,
    /// The version of the translation being corrected.
    pub version: Option<u32>,
}

/// `getUsage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetUsage {
    /// The month, such as `2026-11`; by default, the current one.
    pub month: Option<Month>,
}

/// `getFailedTranslations`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetFailedTranslations {
    /// Page size: 1 to 100, by default 30.
    #[serde(default)]
    pub limit: PageSize,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// `setLanguage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetLanguage {
    /// The language the caller reads from now on.
    pub language: Language,
}

/// `refreshSession`. The token is never printed.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshSession {
    /// A fresh token of the same person.
    pub token: String,
}
