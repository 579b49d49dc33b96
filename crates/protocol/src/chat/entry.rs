//! One entry of a room's log.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RoomStatus, Translation, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{ConnectionId, MessageId, Participant, RoomId, Seq, UserId};
use crate::language::{Language, Languages};

/// Whether people or the system speak.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Somebody's words.
    Text,
    /// Something happened: see [`SystemEvent`].
    System,
}

/// Who wrote an entry, or whose doing a system entry records.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The seat it was written from.
    pub participant: Participant,
    /// The person.
    pub user_id: UserId,
    /// The person's name as the token gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Names of people are never printed.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} as {})", self.user_id, self.participant)
    }
}

/// What a system entry records.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum SystemEvent {
    /// The room's first entry.
    RoomCreated,
    /// Somebody took a seat.
    MemberJoined {
        /// Who.
        participant: Participant,
    },
    /// Somebody gave up a seat.
    MemberLeft {
        /// Who.
        participant: Participant,
    },
    /// A consult moved on.
    StatusChanged {
        /// Where it stood.
        from: RoomStatus,
        /// Where it stands now.
        to: RoomStatus,
    },
    /// Somebody changed whether a consult is translated.
    TranslationChanged {
        /// How it was.
        from: TranslationMode,
        /// How it is.
        to: TranslationMode,
    },
    /// The hospital's characters of this month are used up: until the next one, messages are translated on request.
    TranslationLimited {
        /// The month, `2026-11`.
        month: String,
    },
    /// A person corrected a translation.
    TranslationCorrected {
        /// The message it belongs to.
        seq: Seq,
        /// The language that was corrected.
        language: Language,
    },
}

/// One entry of a room's log, exactly as the `messages` table keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The room.
    pub room_id: RoomId,
    /// Its number in the room's log.
    pub seq: Seq,
    /// How many `text` entries the log has up to and with this one.
    pub text_count: u64,
    /// The idempotency key of a text; a fresh one for a system entry.
    pub message_id: MessageId,
    /// Who speaks.
    pub kind: EntryKind,
    /// Who wrote it.
    pub sender: Sender,
    /// The connection it was sent on, whose reply was its copy. Never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ConnectionId>,
    /// The words; empty in a system entry.
    pub message: String,
    /// The language they are in, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What a text is to be translated into by itself, as its room stood when it was sent. The translator's event filter asks
    /// for it, so that a text that everybody reads as it is costs no invocation.
    #[serde(default, skip_serializing_if = "Languages::is_empty")]
    pub translate_to: Languages,
    /// When it was appended; never earlier than the entry before.
    pub sent_at: Timestamp,
    /// By language. Always stored, even empty, so that one can be set by its path.
    #[serde(default)]
    pub translations: BTreeMap<Language, Translation>,
    /// The entry it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// What a system entry records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<SystemEvent>,
    /// When its words were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When its words were taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Entry {
    /// The entry that follows `tail` in `room_id` (the log's first one if there is none), recording `event`.
    pub fn system(room_id: RoomId, tail: Option<&Entry>, sender: Sender, event: SystemEvent, now: Timestamp) -> Self {
        Self {
            seq: tail.map_or(Seq::FIRST, |tail| tail.seq.next()),
            text_count: tail.map_or(0, |tail| tail.text_count),
            message_id: MessageId::random(),
            kind: EntryKind::System,
            sender,
            origin: None,
            message: String::new(),
            language: None,
            translate_to: Languages::default(),
            // Time never runs backwards within a room, so a moment is found in its log by binary search.
            sent_at: tail.map_or(now, |tail| now.max(tail.sent_at)),
            translations: BTreeMap::new(),
            reply_to: None,
            event: Some(event),
            edited_at: None,
            deleted_at: None,
            room_id,
        }
    }

    /// The status that this entry sets, if it is a status change.
    pub fn sets_status(&self) -> Option<RoomStatus> {
        match self.event {
            Some(SystemEvent::StatusChanged { to, .. }) => Some(to),
            _ => None,
        }
    }
}

/// What people say is never printed, not even by accident.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} #{} {:?})", self.room_id, self.seq, self.kind)
    }
}
