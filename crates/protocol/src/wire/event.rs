//! What is pushed without having been asked for.

use serde::Serialize;

use super::{MessageView, RoomView, TranslationView};
use crate::ids::{Mark, Participant, RoomId, Seq};

/// One pushed frame.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PushedEvent"))]
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A new entry of a room's log.
    Message(MessageView),
    /// A translation came, changed or failed.
    Translation {
        /// The room.
        room_id: RoomId,
        /// The message.
        seq: Seq,
        /// The translation.
        translation: TranslationView,
    },
    /// A room is new or its head has moved on.
    Room {
        /// The room as the receiver sees it.
        room: RoomView,
    },
    /// Somebody has read on.
    Read {
        /// The room.
        room_id: RoomId,
        /// Who.
        participant: Participant,
        /// Up to where.
        last_read_seq: Mark,
    },
    /// The receiver's own session.
    Session {
        /// What became of it.
        event: SessionEvent,
    },
}

/// What becomes of a session.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionEvent {
    /// The person signed out everywhere; the connection is closed after this.
    SignedOut,
}

impl Event {
    /// The JSON text of the frame.
    pub fn to_frame(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}
