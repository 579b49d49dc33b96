//! The fields of every action's reply.

use serde::Serialize;

use super::{MessageView, RoomView, TranslationView};
use crate::chat::{FailureReason, RoomStatus, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{LogPosition, MessageId, RoomId, Seq};
use crate::language::Language;

/// To `createRoom`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomCreated {
    /// The room.
    pub room: RoomView,
    /// `false` if the room existed already.
    pub created: bool,
}

/// To `joinGroup`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupJoined {
    /// The room.
    pub room: RoomView,
}

/// To `sendMessage`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageSent {
    /// The room.
    pub room_id: RoomId,
    /// The number of the message in its room.
    pub seq: Seq,
    /// The client's id, or a generated one.
    pub message_id: MessageId,
    /// When the message was appended.
    pub sent_at: Timestamp,
    /// Whether the message had been sent before.
    pub duplicate: bool,
}

/// To `getChatHistory`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChatHistory {
    /// The room.
    pub room_id: RoomId,
    /// In ascending order, without gaps.
    pub messages: Vec<MessageView>,
    /// Whether there are more entries in this direction.
    pub has_more: bool,
    /// Fields to add to the request to get the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextPage>,
}

/// Fields to add to the request to get the next page of a history.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NextPage {
    /// Towards older entries.
    BeforeSeq(Seq),
    /// Towards newer ones.
    AfterSeq(LogPosition),
}

/// To `getRoomList`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomListPage {
    /// Most recent first.
    pub rooms: Vec<RoomView>,
    /// The start of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// To `changeRoomStatus`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomStatusChanged {
    /// The consult.
    pub room_id: RoomId,
    /// The new status.
    pub status: RoomStatus,
    /// The entry that records the change.
    pub seq: Seq,
}

/// To `setRoomTranslation`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomTranslationSet {
    /// The consult.
    pub room_id: RoomId,
    /// The setting that applies: the stricter of both sides'.
    pub translation: TranslationMode,
    /// The entry that records the change; absent if nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
}

/// To `markRead`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkedRead {
    /// The room.
    pub room_id: RoomId,
    /// The last entry read.
    pub last_read_seq: LogPosition,
    /// The number of unread messages.
    pub unread_count: u64,
}

/// To `sync`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Synced {
    /// Newer entries by room, up to 32 KB in total.
    pub rooms: Vec<NewerEntries>,
}

/// The entries of a room that the client does not have yet.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewerEntries {
    /// The room.
    pub room_id: RoomId,
    /// The room's highest number.
    pub last_seq: LogPosition,
    /// In ascending order, without gaps.
    pub messages: Vec<MessageView>,
    /// Whether these are all newer entries.
    pub complete: bool,
}

/// To `translateMessage` and `setTranslatedMessage`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Translated {
    /// The translation as stored.
    pub translation: TranslationView,
}

/// To `getUsage`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranslationUsage {
    /// `2026-11`.
    pub month: String,
    /// Characters billed by DeepL.
    pub billed_characters: u64,
    /// Characters that the cache saved.
    pub saved_characters: u64,
    /// Texts translated.
    pub translations: u64,
    /// Texts found in the cache.
    pub cache_hits: u64,
    /// Translations that failed.
    pub failures: u64,
    /// The cost of the billed characters, at the price in `DeepLPrice`.
    pub cost: f64,
    /// Characters per month for automatic translation, if limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_characters: Option<u64>,
}

/// To `getFailedTranslations`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedTranslations {
    /// Most recent message first.
    pub failed: Vec<FailedTranslation>,
    /// The start of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A translation that failed.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedTranslation {
    /// The room.
    pub room_id: RoomId,
    /// The message.
    pub seq: Seq,
    /// The language.
    pub language: Language,
    /// The cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// When the translation failed.
    pub at: Timestamp,
}

/// To `setLanguage`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LanguageSet {
    /// The language, in its canonical spelling.
    pub language: Language,
}

/// To `refreshSession`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionRefreshed {
    /// The new end of the session.
    pub session_until: Timestamp,
}

/// To `signOutEverywhere`, on a connection that it did not close.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedOut {
    /// The number of connections closed.
    pub closed: usize,
}

/// To `createTicket`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketCreated {
    /// The value for `?ticket=` in the URL.
    pub ticket: String,
    /// When the ticket expires.
    pub expires_at: Timestamp,
}
