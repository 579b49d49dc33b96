//! One entry of a room's log.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RoomStatus, Translation, TranslationMode, lenient};
use crate::clock::Timestamp;
use crate::ids::{ConnectionId, MessageId, Participant, RoomId, Seq, UserId};
use crate::language::{Language, Languages};

/// The kind of an entry.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A message that a person wrote.
    Text,
    /// A [`SystemEvent`].
    System,
    /// A kind that this version does not know; a newer one has written the entry.
    #[default]
    Unknown,
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

impl Sender {
    /// Stands for a sender that this version cannot read.
    pub(super) fn unknown() -> Self {
        Self { participant: Participant::unknown(), user_id: UserId::unknown(), name: None }
    }
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
    /// An event that this version does not know, as a newer one has written it.
    #[serde(untagged)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown(serde_json::Map<String, serde_json::Value>),
}

/// One entry of a room's log, as the `messages` table stores it. Whatever of an
/// entry this version cannot read, because a newer one has written it, counts as absent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The room.
    pub room_id: RoomId,
    /// The entry's number in the log.
    pub seq: Seq,
    /// The number of `text` entries in the log, up to and including this one.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub text_count: u64,
    /// The idempotency key of a text; random for a system entry.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub message_id: MessageId,
    /// The kind of the entry.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub kind: EntryKind,
    /// Who wrote or caused it.
    #[serde(default = "Sender::unknown", deserialize_with = "lenient::sender")]
    pub sender: Sender,
    /// The connection it was sent on, which received it as a reply. Not visible to clients.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub origin: Option<ConnectionId>,
    /// The text; empty in a system entry.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub message: String,
    /// The language of the text, if known.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The languages to translate a text into automatically, determined when it was sent. The event filter of
    /// auto-translate checks this field, so that a text that needs no translation costs no invocation.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Languages::is_empty")]
    pub translate_to: Languages,
    /// Languages that were added after the text was sent, because somebody who reads them opened the room.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Languages::is_empty")]
    pub also_translate_to: Languages,
    /// When it was appended; never earlier than the previous entry.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub sent_at: Timestamp,
    /// Translations by language. Stored even if empty, so that an update can set one by its path.
    #[serde(default, deserialize_with = "lenient::translations")]
    pub translations: BTreeMap<Language, Translation>,
    /// The entry it replies to.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The event of a system entry.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub event: Option<SystemEvent>,
    /// When the text was edited.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When the text was deleted.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
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
            also_translate_to: Languages::default(),
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

    /// Whether the text was written to be translated, or somebody had it translated.
    pub fn was_meant_to_be_translated(&self) -> bool {
        !self.translate_to.is_empty() || !self.translations.is_empty()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(row: serde_json::Value) -> Entry {
        serde_json::from_value(row).expect("an entry")
    }

    #[test]
    fn entries_of_newer_versions_are_read() {
        let entry = read(json!({
            "room_id": "open:a", "seq": 5, "text_count": 3, "sent_at": 1_000,
            "message_id": {"new": "form"}, "kind": "card", "message": {"blocks": []},
            "sender": {"participant": "bot:helper", "user_id": "helper"},
            "language": "tlh-very-new!", "translate_to": ["ko"], "reply_to": "open:a#4", "edited_at": "yesterday",
            "event": {"name": "poll_opened", "options": [{"text": "A"}]},
            "translations": {
                "ko": {"text": "네", "source": "glossary", "status": "ok", "version": 1, "at": 1_000},
                "ja": {"text": "はい", "source": "deepl", "status": "ok", "version": 1, "at": 1_000, "quality": 0.9},
            },
            "reactions": {"👍": ["user:u1"]},
        }));
        assert_eq!((entry.seq.get(), entry.text_count, entry.sent_at.millis()), (5, 3, 1_000));
        assert_eq!((entry.kind, entry.message.as_str()), (EntryKind::Unknown, ""));
        assert_eq!(entry.sender.participant, Participant::unknown());
        assert_eq!((entry.language, entry.reply_to, entry.edited_at), (None, None, None));
        assert_eq!(entry.translations.keys().map(Language::as_str).collect::<Vec<_>>(), ["ja"]);
        let event = serde_json::to_value(entry.event).expect("serializes");
        assert_eq!(event, json!({"name": "poll_opened", "options": [{"text": "A"}]}));
    }

    #[test]
    fn known_events_with_new_values_are_kept_as_written() {
        let event = json!({"name": "status_changed", "from": "closed", "to": "archived"});
        let entry = read(json!({"room_id": "open:a", "seq": 1, "kind": "system", "event": event.clone()}));
        assert_eq!(entry.sets_status(), None);
        assert_eq!(serde_json::to_value(entry.event).expect("serializes"), event);
    }

    #[test]
    fn nobody_can_be_the_unknown_sender() {
        for subject in ["-", "~unknown", "unknown", ""] {
            assert_ne!(UserId::from_subject("", subject), Ok(UserId::unknown()), "{subject}");
        }
    }
}
