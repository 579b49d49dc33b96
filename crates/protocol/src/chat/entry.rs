//! One entry of a room's log.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RoomStatus, Translation, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{ConnectionId, MessageId, Participant, RoomId, Seq, UserId};
use crate::language::{Language, Languages};

/// The kind of an entry.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A message that a person wrote.
    Text,
    /// A [`SystemEvent`].
    System,
}

/// Who wrote an entry or caused a system entry.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The member on whose behalf the person acted.
    pub participant: Participant,
    /// The person.
    pub user_id: UserId,
    /// The person's name, from the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Debug output never contains people's names.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} as {})", self.user_id, self.participant)
    }
}

/// An event that a system entry records.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum SystemEvent {
    /// The room's first entry.
    RoomCreated,
    /// A member joined.
    MemberJoined {
        /// The member.
        participant: Participant,
    },
    /// A member left.
    MemberLeft {
        /// The member.
        participant: Participant,
    },
    /// A consult's status changed.
    StatusChanged {
        /// The status before.
        from: RoomStatus,
        /// The status after.
        to: RoomStatus,
    },
    /// A consult's translation setting changed.
    TranslationChanged {
        /// The setting before.
        from: TranslationMode,
        /// The setting after.
        to: TranslationMode,
    },
    /// The hospital's monthly character budget is exhausted; until next month, messages are translated on request only.
    TranslationLimited {
        /// The month, such as `2026-11`.
        month: String,
    },
    /// A person corrected a translation.
    TranslationCorrected {
        /// The message.
        seq: Seq,
        /// The language of the translation.
        language: Language,
    },
}

/// One entry of a room's log, as the `messages` table stores it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The room.
    pub room_id: RoomId,
    /// The entry's number in the log.
    pub seq: Seq,
    /// The number of `text` entries in the log, up to and including this one.
    pub text_count: u64,
    /// The idempotency key of a text; random for a system entry.
    pub message_id: MessageId,
    /// The kind of the entry.
    pub kind: EntryKind,
    /// Who wrote or caused it.
    pub sender: Sender,
    /// The connection it was sent on, which received it as a reply. Not visible to clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ConnectionId>,
    /// The text; empty in a system entry.
    pub message: String,
    /// The language of the text, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The languages to translate a text into automatically, determined when it was sent. The event filter of
    /// auto-translate checks this field, so that a text that needs no translation costs no invocation.
    #[serde(default, skip_serializing_if = "Languages::is_empty")]
    pub translate_to: Languages,
    /// When it was appended; never earlier than the previous entry.
    pub sent_at: Timestamp,
    /// Translations by language. Stored even if empty, so that an update can set one by its path.
    #[serde(default)]
    pub translations: BTreeMap<Language, Translation>,
    /// The entry it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The event of a system entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<SystemEvent>,
    /// When the text was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When the text was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Entry {
    /// The entry that records `event` after `tail`, the last entry of the room's log; without a tail, the log's first
    /// entry.
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
            // Times never decrease within a log, so entries can be found by time with a binary search.
            sent_at: tail.map_or(now, |tail| now.max(tail.sent_at)),
            translations: BTreeMap::new(),
            reply_to: None,
            event: Some(event),
            edited_at: None,
            deleted_at: None,
            room_id,
        }
    }

    /// The new status, if this entry records a status change.
    pub fn sets_status(&self) -> Option<RoomStatus> {
        match self.event {
            Some(SystemEvent::StatusChanged { to, .. }) => Some(to),
            _ => None,
        }
    }
}

/// Debug output never contains message text.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} #{} {:?})", self.room_id, self.seq, self.kind)
    }
}
