//! The fields of every action, as a client writes them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::{Month, PageSize};
use crate::chat::{RoomKind, RoomName, RoomStatus, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{HospitalId, Mark, MessageId, OpenName, Participant, RoomId, Seq, UserId};
use crate::language::Language;

/// `createRoom`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateRoom {
    /// `consult`, `direct` or `group`; an open room is created by joining it.
    pub kind: RoomKind,
    /// Of a consult that a user opens.
    pub hospital_id: Option<HospitalId>,
    /// Of a consult that a hospital opens, or the other one of a direct room.
    pub user_id: Option<UserId>,
    /// Of a group.
    pub name: Option<RoomName>,
    /// Of a group, at most 89 besides the caller.
    pub members: Option<BTreeSet<Participant>>,
    /// Of a group: `room:<uuid>`, by which creating it can be repeated.
    pub room_id: Option<RoomId>,
    /// What the caller reads in this room.
    pub language: Option<Language>,
}

/// `joinGroup`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JoinGroup {
    /// A room, or the bare name of an open one. `room_id` and `groupId` are taken too.
    #[serde(alias = "groupId", alias = "room_id", deserialize_with = "room_or_name")]
    pub group_id: RoomId,
}

/// A room's id, or the bare name of an open room.
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
    /// Left out: the room that this connection joined last.
    pub room_id: Option<RoomId>,
    /// A fresh UUID for each message, the same for each try.
    pub message_id: Option<MessageId>,
    /// What it is written in; left out: the caller's language.
    pub language: Option<Language>,
    /// The entry that it answers.
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
    pub after_seq: Option<Mark>,
    /// How many at most.
    #[serde(default)]
    pub limit: PageSize,
    /// Entries whose text or translation holds this.
    pub query: Option<String>,
    /// Entries from this time on.
    pub from: Option<Timestamp>,
    /// Entries up to this time.
    pub to: Option<Timestamp>,
}

/// `getRoomList`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetRoomList {
    /// Rooms of this status only.
    pub status: Option<RoomStatus>,
    /// How many at most.
    #[serde(default)]
    pub limit: PageSize,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// `changeRoomStatus`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeRoomStatus {
    /// The consult.
    pub room_id: RoomId,
    /// What it is to be.
    pub status: RoomStatus,
}

/// `setRoomTranslation`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetRoomTranslation {
    /// The consult.
    pub room_id: RoomId,
    /// How far the caller's side wants it translated.
    pub translation: TranslationMode,
}

/// `markRead`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkRead {
    /// The room.
    pub room_id: RoomId,
    /// Up to where; beyond the log's end it counts as its end.
    pub seq: Seq,
}

/// `sync`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sync {
    /// The highest number that the client has of each room; at most 50 rooms.
    pub rooms: BTreeMap<RoomId, Mark>,
}

/// `translateMessage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranslateMessage {
    /// The room.
    pub room_id: RoomId,
    /// The message.
    pub seq: Seq,
    /// The language that it is wanted in.
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
    /// What it should say; at most 4,000 characters and 16 KB.
    pub translated_message: String,
    /// Of the translation that the person saw.
    pub version: Option<u32>,
}

/// `getUsage`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetUsage {
    /// Left out: this month.
    pub month: Option<Month>,
}

/// `getFailedTranslations`
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetFailedTranslations {
    /// How many messages at most.
    #[serde(default)]
    pub limit: PageSize,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// `refreshSession`. The token is never printed.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshSession {
    /// A fresh one of the same person.
    pub token: String,
}
