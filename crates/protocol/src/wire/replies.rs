//! What every action answers, inside the envelope.

use serde::Serialize;

use super::{MessageView, RoomView, TranslationView};
use crate::chat::{FailureReason, RoomStatus, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{Mark, MessageId, RoomId, Seq};
use crate::language::Language;

/// To `createRoom`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomCreated {
    /// The room.
    pub room: RoomView,
    /// `false` if it was there already.
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
    /// Its number there.
    pub seq: Seq,
    /// The client's, or a random one.
    pub message_id: MessageId,
    /// When it was appended.
    pub sent_at: Timestamp,
    /// Whether it had been sent before.
    pub duplicate: bool,
}

/// To `getChatHistory`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChatHistory {
    /// The room.
    pub room_id: RoomId,
    /// Ascending, without a hole.
    pub messages: Vec<MessageView>,
    /// Whether there are more in this direction.
    pub has_more: bool,
    /// What to send, beside the other fields, for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextPage>,
}

/// What to send, beside the other fields, for the next page of a history.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NextPage {
    /// Towards older entries.
    BeforeSeq(Seq),
    /// Towards newer ones.
    AfterSeq(Mark),
}

/// To `getRoomList`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomListPage {
    /// Latest first.
    pub rooms: Vec<RoomView>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// To `changeRoomStatus`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomStatusChanged {
    /// The consult.
    pub room_id: RoomId,
    /// What it is now.
    pub status: RoomStatus,
    /// The entry that records it.
    pub seq: Seq,
}

/// To `setRoomTranslation`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomTranslationSet {
    /// The consult.
    pub room_id: RoomId,
    /// The stricter of both sides' wishes.
    pub translation: TranslationMode,
    /// The entry that records it; absent where it was so already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
}

/// To `markRead`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkedRead {
    /// The room.
    pub room_id: RoomId,
    /// Up to where.
    pub last_read_seq: Mark,
    /// How many texts are unread.
    pub unread_count: u64,
}

/// To `sync`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Synced {
    /// What is newer, up to 32 KB in all.
    pub rooms: Vec<NewerEntries>,
}

/// What is newer in a room than what a client has.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewerEntries {
    /// The room.
    pub room_id: RoomId,
    /// The log's end.
    pub last_seq: Mark,
    /// Ascending, without a hole.
    pub messages: Vec<MessageView>,
    /// Whether that was everything.
    pub complete: bool,
}

/// To `translateMessage` and `setTranslatedMessage`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Translated {
    /// As it stands now.
    pub translation: TranslationView,
}

/// To `getUsage`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranslationUsage {
    /// `2026-11`.
    pub month: String,
    /// What DeepL bills.
    pub billed_characters: u64,
    /// What it would bill without the cache.
    pub saved_characters: u64,
    /// How many texts were translated.
    pub translations: u64,
    /// How many were known already.
    pub cache_hits: u64,
    /// How many failed.
    pub failures: u64,
    /// What the billed characters cost, by the price that the stack was told.
    pub cost: f64,
    /// How many characters there are for automatic translation in a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_characters: Option<u64>,
}

/// To `getFailedTranslations`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedTranslations {
    /// Newest message first.
    pub failed: Vec<FailedTranslation>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A translation that there is none of.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedTranslation {
    /// The room.
    pub room_id: RoomId,
    /// The message.
    pub seq: Seq,
    /// The language.
    pub language: Language,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// When it failed.
    pub at: Timestamp,
}

/// To `refreshSession`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionRefreshed {
    /// Until when the session lasts now.
    pub session_until: Timestamp,
}

/// To `signOutEverywhere`, on a connection that was not closed by it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedOut {
    /// How many connections were.
    pub closed: usize,
}

/// To `createTicket`
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketCreated {
    /// What stands in the URL: `?ticket=`.
    pub ticket: String,
    /// Until when it lets its person in.
    pub expires_at: Timestamp,
}
