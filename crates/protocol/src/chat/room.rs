//! Rooms and members, as the tables store them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::preview;
use super::{Entry, Role, RoomKind, RoomName, RoomStatus, Sender, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{LogPosition, Participant, RoomId, Seq, UserId};
use crate::language::{Language, Languages};

/// A conversation. The fields from `last_seq` on are the head, which fan-out derives from the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub room_id: RoomId,
    /// The kind of conversation.
    pub kind: RoomKind,
    /// The name of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RoomName>,
    /// The status of a consult.
    pub status: RoomStatus,
    /// The entry that recorded the status.
    pub status_seq: Seq,
    /// The languages of its members.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub languages: BTreeSet<Language>,
    /// The hospital's translation setting for a consult.
    #[serde(default)]
    pub hospital_translation: TranslationMode,
    /// The patient's translation setting for a consult.
    #[serde(default)]
    pub patient_translation: TranslationMode,
    /// The last month in which the members were told that the hospital's character budget is exhausted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_in: Option<String>,
    /// The number of members.
    pub member_count: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Participant,
    /// The position of the last entry.
    #[serde(default)]
    pub last_seq: LogPosition,
    /// The number of texts in the log.
    #[serde(default)]
    pub text_count: u64,
    /// The newest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<LastMessage>,
    /// When the newest entry was appended.
    pub updated_at: Timestamp,
}

impl Room {
    /// A new room, whose creation the entry `first` records.
    pub fn new(kind: RoomKind, first: &Entry, languages: BTreeSet<Language>, member_count: u32) -> Self {
        Self {
            room_id: first.room_id.clone(),
            kind,
            name: None,
            status: if kind == RoomKind::Consult { RoomStatus::Waiting } else { RoomStatus::InProgress },
            status_seq: first.seq,
            languages,
            hospital_translation: TranslationMode::Auto,
            patient_translation: TranslationMode::Auto,
            limited_in: None,
            member_count,
            created_at: first.sent_at,
            created_by: first.sender.participant.clone(),
            last_seq: LogPosition::from(first.seq),
            text_count: first.text_count,
            last_message: None,
            updated_at: first.sent_at,
        }
    }

    /// The effective translation setting. Translating sends messages to a company abroad, so a consult is translated
    /// only as far as both sides agree. Rooms of other kinds have no setting.
    pub fn translation(&self) -> TranslationMode {
        self.hospital_translation.min(self.patient_translation)
    }

    /// The languages to translate a text written in `source` into automatically: those of the members, without the
    /// text's own, and only one of equivalent ones such as `en` and `en-US`. None in a consult that is not set to
    /// automatic translation, at most three in a group, and none in an open room; the others are translated on request.
    pub fn automatic_targets(&self, source: Option<&Language>) -> Languages {
        let limit = match self.kind {
            RoomKind::Consult if self.translation() != TranslationMode::Auto => 0,
            RoomKind::Consult | RoomKind::Direct => usize::MAX,
            RoomKind::Group => 3,
            RoomKind::Open => 0,
        };
        let mut targets: Vec<Language> = Vec::new();
        for language in &self.languages {
            let mut covered = source.into_iter().chain(&targets);
            if !covered.any(|other| other.reads_like(language)) {
                targets.push(language.clone());
            }
        }
        targets.into_iter().take(limit).collect()
    }
}

/// The newest text of a room, for room lists.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    /// The number of the entry.
    pub seq: Seq,
    /// Its first 200 characters.
    pub message: String,
    /// Who wrote it.
    pub sender: Sender,
    /// When it was appended.
    pub sent_at: Timestamp,
}

impl LastMessage {
    const PREVIEW_CHARACTERS: usize = 200;

    /// The preview of a text entry.
    pub fn of(entry: &Entry) -> Self {
        let message = preview(&entry.message, Self::PREVIEW_CHARACTERS);
        Self { seq: entry.seq, message, sender: entry.sender.clone(), sent_at: entry.sent_at }
    }
}

/// Debug output never contains message text.
impl fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LastMessage(#{})", self.seq)
    }
}

/// A participant's membership in a room.
#[derive(Clone, Serialize, Deserialize)]
pub struct Member {
    /// The room.
    pub room_id: RoomId,
    /// The member.
    pub participant: Participant,
    /// The member's role.
    pub role: Role,
    /// The member's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The member's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the member joined.
    pub joined_at: Timestamp,
    /// The position up to which the member has read.
    #[serde(default)]
    pub last_read_seq: LogPosition,
    /// The log's `text_count` at that position; later texts are unread.
    #[serde(default)]
    pub read_text_count: u64,
    /// Orders the member's room list; derived from the log and up to a minute behind.
    pub last_activity: Timestamp,
    /// People who are muted after flooding, and until when. A hospital's staff are muted individually.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mutes: BTreeMap<UserId, Timestamp>,
    /// For the hospital of a consult: the key of the `by-status` index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_key: Option<String>,
}

impl Member {
    /// A new member, who has read nothing yet.
    pub fn new(room_id: RoomId, participant: Participant, role: Role, now: Timestamp) -> Self {
        Self {
            room_id,
            participant,
            role,
            language: None,
            name: None,
            joined_at: now,
            last_read_seq: LogPosition::default(),
            read_text_count: 0,
            last_activity: now,
            mutes: BTreeMap::new(),
            list_key: None,
        }
    }

    /// The key under which the `by-status` index lists a hospital's consults of one status.
    pub fn list_key(hospital: &Participant, status: RoomStatus) -> String {
        format!("{hospital}#{}", status.as_str())
    }
}

/// Debug output never contains people's names.
impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} in {})", self.participant, self.room_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::SystemEvent;

    fn targets(kind: RoomKind, member_languages: &str, source: Option<&str>) -> String {
        let creator: Participant = "user:u1".parse().expect("valid");
        let sender = Sender { participant: creator, user_id: "u1".parse().expect("valid"), name: None };
        let room_id = "consult:u1:h9".parse().expect("valid");
        let first = Entry::system(room_id, None, sender, SystemEvent::RoomCreated, Timestamp::default());
        let languages: Languages = member_languages.parse().expect("valid");
        let room = Room::new(kind, &first, languages.iter().cloned().collect(), 2);
        room.automatic_targets(source.map(|tag| tag.parse().expect("valid")).as_ref()).to_string()
    }

    #[test]
    fn text_is_translated_into_the_other_members_languages() {
        assert_eq!(targets(RoomKind::Consult, "ja ko", Some("ja")), "ko");
        assert_eq!(targets(RoomKind::Consult, "ja ko", Some("vi")), "ja ko");
        assert_eq!(targets(RoomKind::Consult, "ja ko", None), "ja ko");
        assert_eq!(targets(RoomKind::Direct, "ko", Some("ko")), "");
        assert_eq!(targets(RoomKind::Direct, "en en-US ko", Some("ko")), "en");
    }

    #[test]
    fn group_gets_three_languages_and_open_room_none() {
        assert_eq!(targets(RoomKind::Group, "de en fr ja ko", Some("en")), "de fr ja");
        assert_eq!(targets(RoomKind::Open, "de en fr ja ko", Some("en")), "");
    }
}
