//! A room and its members, as the tables keep them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::preview;
use super::{Entry, Role, RoomKind, RoomName, RoomStatus, Sender, TranslationMode};
use crate::clock::Timestamp;
use crate::ids::{Mark, Participant, RoomId, Seq, UserId};
use crate::language::{Language, Languages};

/// A conversation. The fields from `last_seq` on are its head, which fan-out derives from the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub room_id: RoomId,
    /// What kind of conversation it is.
    pub kind: RoomKind,
    /// What a group is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RoomName>,
    /// Where it stands.
    pub status: RoomStatus,
    /// The entry that recorded this status.
    pub status_seq: Seq,
    /// What its members read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub languages: BTreeSet<Language>,
    /// How far the hospital of a consult wants it translated.
    #[serde(default)]
    pub hospital_translation: TranslationMode,
    /// How far its patient does.
    #[serde(default)]
    pub patient_translation: TranslationMode,
    /// The month in which its people were told that the hospital's characters are used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_in: Option<String>,
    /// How many seats are taken.
    pub member_count: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Participant,
    /// The highest number in its log.
    #[serde(default)]
    pub last_seq: Mark,
    /// How many texts its log has.
    #[serde(default)]
    pub text_count: u64,
    /// The newest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<LastMessage>,
    /// When the newest entry was appended.
    pub updated_at: Timestamp,
}

impl Room {
    /// A room that `first`, the entry recording its creation, begins.
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
            last_seq: Mark::from(first.seq),
            text_count: first.text_count,
            last_message: None,
            updated_at: first.sent_at,
        }
    }

    /// Whether its messages are translated: translating sends what somebody wrote to another company in another country, so it takes
    /// both sides of a consult. Rooms of the other kinds have no choice.
    pub fn translation(&self) -> TranslationMode {
        self.hospital_translation.min(self.patient_translation)
    }

    /// What a text in `spoken` is to be translated into without being asked: what the room's members read, except what it is
    /// written in already; of `en` and `en-US`, one. Nothing where the consult's people do not want it. In a group of many languages the others are a request away, in an open
    /// room all are.
    pub fn translates_into(&self, spoken: Option<&Language>) -> Languages {
        let most = match self.kind {
            RoomKind::Consult if self.translation() != TranslationMode::Auto => 0,
            RoomKind::Consult | RoomKind::Direct => usize::MAX,
            RoomKind::Group => 3,
            RoomKind::Open => 0,
        };
        let mut wanted: Vec<Language> = Vec::new();
        for language in &self.languages {
            let mut read_already = spoken.into_iter().chain(&wanted);
            if !read_already.any(|other| other.reads_like(language)) {
                wanted.push(language.clone());
            }
        }
        wanted.into_iter().take(most).collect()
    }
}

/// The newest text of a room, for lists.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    /// Its number.
    pub seq: Seq,
    /// Its first 200 characters.
    pub message: String,
    /// Who wrote it.
    pub sender: Sender,
    /// When.
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

/// What people say is never printed, not even by accident.
impl fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LastMessage(#{})", self.seq)
    }
}

/// A participant's seat in a room.
#[derive(Clone, Serialize, Deserialize)]
pub struct Member {
    /// The room.
    pub room_id: RoomId,
    /// Who sits there.
    pub participant: Participant,
    /// What they may do.
    pub role: Role,
    /// What they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when.
    pub joined_at: Timestamp,
    /// How far they have read.
    #[serde(default)]
    pub last_read_seq: Mark,
    /// The log's `text_count` there: what is above it in the room is unread.
    #[serde(default)]
    pub read_text_count: u64,
    /// Orders the member's room list; derived, and up to a minute behind.
    pub last_activity: Timestamp,
    /// Until when what a person sends from this seat is refused: of many staff, one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mutes: BTreeMap<UserId, Timestamp>,
    /// On the hospital's seat in a consult: the key of the `by-status` index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_key: Option<String>,
}

impl Member {
    /// A fresh seat, nothing read yet.
    pub fn new(room_id: RoomId, participant: Participant, role: Role, now: Timestamp) -> Self {
        Self {
            room_id,
            participant,
            role,
            language: None,
            name: None,
            joined_at: now,
            last_read_seq: Mark::default(),
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

/// Names of people are never printed.
impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} in {})", self.participant, self.room_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::SystemEvent;

    fn wanted(kind: RoomKind, members_read: &str, spoken: Option<&str>) -> String {
        let creator: Participant = "user:u1".parse().expect("valid");
        let sender = Sender { participant: creator, user_id: "u1".parse().expect("valid"), name: None };
        let room_id = "consult:u1:h9".parse().expect("valid");
        let first = Entry::system(room_id, None, sender, SystemEvent::RoomCreated, Timestamp::default());
        let languages: Languages = members_read.parse().expect("valid");
        let room = Room::new(kind, &first, languages.iter().cloned().collect(), 2);
        room.translates_into(spoken.map(|tag| tag.parse().expect("valid")).as_ref()).to_string()
    }

    #[test]
    fn a_text_is_wanted_in_what_the_members_read_but_its_own_language() {
        assert_eq!(wanted(RoomKind::Consult, "ja ko", Some("ja")), "ko");
        assert_eq!(wanted(RoomKind::Consult, "ja ko", Some("vi")), "ja ko");
        assert_eq!(wanted(RoomKind::Consult, "ja ko", None), "ja ko");
        assert_eq!(wanted(RoomKind::Direct, "ko", Some("ko")), "");
        assert_eq!(wanted(RoomKind::Direct, "en en-US ko", Some("ko")), "en");
    }

    #[test]
    fn a_group_of_many_languages_wants_three_and_an_open_room_none() {
        assert_eq!(wanted(RoomKind::Group, "de en fr ja ko", Some("en")), "de fr ja");
        assert_eq!(wanted(RoomKind::Open, "de en fr ja ko", Some("en")), "");
    }
}
