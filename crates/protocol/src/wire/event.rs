//! Events pushed by the server.

use serde::Serialize;

use super::{MessageView, RoomView, TranslationView};
use crate::ids::{LogPosition, Participant, RoomId, Seq};

/// One pushed frame.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PushedEvent"))]
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A new entry of a room's log.
    Message(MessageView),
    /// A translation arrived, changed or failed.
    Translation {
        /// The room.
        room_id: RoomId,
        /// The message.
        seq: Seq,
        /// The translation.
        translation: TranslationView,
    },
    /// A room is new or has changed.
    Room {
        /// The room, as the receiver sees it.
        room: RoomView,
    },
    /// A member has read further.
    Read {
        /// The room.
        room_id: RoomId,
        /// The member.
        participant: Participant,
        /// The last entry read.
        last_read_seq: LogPosition,
    },
    /// A change of the receiver's session.
    Session {
        /// What happened.
        event: SessionEvent,
    },
}

/// What happened to a session.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionEvent {
    /// The person signed out everywhere. The connection is closed after this event.
    SignedOut,
    /// The person has more connections than allowed, and this is the oldest. It is closed after this event; a client
    /// that reconnected by itself would take the place of another one, and so on.
    Evicted,
}

impl Event {
    /// The JSON text of the frame.
    pub fn to_frame(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}
