//! Rooms and members, as the tables store them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::preview;
use super::{Entry, Role, RoomKind, RoomName, RoomStatus, Sender, TranslationMode, lenient};
use crate::clock::Timestamp;
use crate::ids::{LogPosition, Participant, RoomId, Seq, UserId};
use crate::language::{Language, Languages};

/// A conversation. Whatever of it this version cannot read, because a newer one has written it, counts as absent. The
/// fields from `last_seq` on are the head, which fan-out derives from the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub room_id: RoomId,
    /// The kind of conversation.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub kind: RoomKind,
    /// The name of a group.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub name: Option<RoomName>,
    /// The status of a consult.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub status: RoomStatus,
    /// The entry that recorded the status.
    pub status_seq: Seq,
    /// The languages of its members.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "lenient::languages")]
    pub languages: BTreeSet<Language>,
    /// The hospital's translation setting for a consult.
    #[serde(default, deserialize_with = "lenient::translation_mode")]
    pub hospital_translation: TranslationMode,
    /// The patient's translation setting for a consult.
    #[serde(default, deserialize_with = "lenient::translation_mode")]
    pub patient_translation: TranslationMode,
    /// The last month in which the members were told that the hospital's character budget is exhausted.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub limited_in: Option<String>,
    /// The number of members.
    pub member_count: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    #[serde(default = "Participant::unknown", deserialize_with = "lenient::participant")]
    pub created_by: Participant,
    /// The position of the last entry.
    #[serde(default)]
    pub last_seq: LogPosition,
    /// The number of texts in the log.
    #[serde(default)]
    pub text_count: u64,
    /// The newest text.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
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

    /// The languages of a room of this kind with these members, only one of equivalent ones. Both sides of a consult
    /// come before the further languages of its hospital, and are at most three languages in all, so that translation
    /// stays within bounds.
    pub fn languages_of<'a>(
        kind: RoomKind,
        members: impl IntoIterator<Item = &'a Member> + Clone,
    ) -> BTreeSet<Language> {
        const MAX_IN_CONSULT: usize = 3;
        if kind == RoomKind::Open {
            return BTreeSet::new();
        }
        let first = members.clone().into_iter().filter_map(|member| member.language.as_ref());
        let others = members.into_iter().flat_map(|member| member.other_languages.iter());
        let mut languages: Vec<&Language> = Vec::new();
        for language in first.chain(others) {
            if !languages.iter().any(|other| other.reads_like(language)) {
                languages.push(language);
            }
        }
        let limit = if kind == RoomKind::Consult { MAX_IN_CONSULT } else { usize::MAX };
        languages.into_iter().take(limit).cloned().collect()
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LastMessageText"))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    /// The number of the entry.
    pub seq: Seq,
    /// Its first 200 characters.
    pub message: String,
    /// Its language, if known.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Who wrote it.
    #[serde(default = "Sender::unknown", deserialize_with = "lenient::sender")]
    pub sender: Sender,
    /// When it was appended.
    pub sent_at: Timestamp,
}

impl LastMessage {
    const PREVIEW_CHARACTERS: usize = 200;

    /// The preview of a text entry.
    pub fn of(entry: &Entry) -> Self {
        Self {
            seq: entry.seq,
            message: Self::cut(&entry.message),
            language: entry.language.clone(),
            sender: entry.sender.clone(),
            sent_at: entry.sent_at,
        }
    }

    /// A text as a preview shows it.
    pub fn cut(text: &str) -> String {
        preview(text, Self::PREVIEW_CHARACTERS)
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
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub role: Role,
    /// The member's language.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// For a hospital: further languages that it declares, or that staff who opened the room read.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Languages::is_empty")]
    pub other_languages: Languages,
    /// The member's name.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the member joined.
    pub joined_at: Timestamp,
    /// The position up to which the member has read.
    #[serde(default)]
    pub last_read_seq: LogPosition,
    /// The texts that do not count as unread: those up to that position, and the member's own after it.
    #[serde(default)]
    pub read_text_count: u64,
    /// The last of the member's own texts after that position, as far as they are counted.
    #[serde(default)]
    pub own_seq: LogPosition,
    /// Orders the member's room list; derived from the log and up to a minute behind.
    pub last_activity: Timestamp,
    /// People who are muted after flooding, and until when. A hospital's staff are muted individually.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub mutes: BTreeMap<UserId, Timestamp>,
    /// For the hospital of a consult: the key of the `by-status` index.
    #[serde(default, deserialize_with = "lenient::or_default", skip_serializing_if = "Option::is_none")]
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
            other_languages: Languages::default(),
            name: None,
            joined_at: now,
            last_read_seq: LogPosition::default(),
            read_text_count: 0,
            own_seq: LogPosition::default(),
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
    fn consult_has_three_languages_its_sides_first() {
        let room: RoomId = "consult:u1:h9".parse().expect("valid");
        let member = |participant: &str, role, language: &str, others: &str| Member {
            language: language.parse().ok(),
            other_languages: others.parse().expect("valid"),
            ..Member::new(room.clone(), participant.parse().expect("valid"), role, Timestamp::default())
        };
        let languages = |patient: &str, hospital: &str, others: &str| {
            let members =
                [member("hospital:h9", Role::Staff, hospital, others), member("user:u1", Role::Patient, patient, "")];
            Room::languages_of(RoomKind::Consult, &members).into_iter().collect::<Languages>().to_string()
        };
        assert_eq!(languages("vi", "ko", "en zh"), "en ko vi");
        assert_eq!(languages("en", "ko", "en-GB zh"), "en ko zh");
        assert_eq!(languages("", "ko", "ko-KR"), "ko");
    }

    #[test]
    fn group_gets_three_languages_and_open_room_none() {
        assert_eq!(targets(RoomKind::Group, "de en fr ja ko", Some("en")), "de fr ja");
        assert_eq!(targets(RoomKind::Open, "de en fr ja ko", Some("en")), "");
    }
}
