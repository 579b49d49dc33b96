//! Rooms, members, messages and translations as clients see them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{FRAME_LIMIT, json_len};
use crate::chat::{
    Entry, EntryKind, LastMessage, Member, Role, Room, RoomKind, RoomName, RoomStatus, Sender, SystemEvent,
    Translation, TranslationMode,
};
use crate::clock::Timestamp;
use crate::ids::{LogPosition, MessageId, Participant, RoomId, Seq};
use crate::language::Language;

/// The most bytes of one message in a frame. The rest is reserved for the largest reply, a `sync` of 50 rooms.
const MESSAGE_LIMIT: usize = FRAME_LIMIT - 16 * 1024;

/// A translation and its language.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Translation"))]
#[derive(Debug, Clone, Serialize)]
pub struct TranslationView {
    /// The language it is in.
    pub language: Language,
    /// The translation.
    #[serde(flatten)]
    pub translation: Translation,
}

/// One entry of a room's log.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Message"))]
#[derive(Clone, Serialize)]
pub struct MessageView {
    room_id: RoomId,
    /// Its number.
    pub seq: Seq,
    message_id: MessageId,
    kind: EntryKind,
    sender: Sender,
    message: String,
    language: Option<Language>,
    sent_at: Timestamp,
    translations: BTreeMap<Language, TranslationView>,
    reply_to: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<SystemEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
}

impl MessageView {
    /// The entry for a reader of `own` in a room of `languages`, with the translations into any of these. If they do
    /// not fit into a frame, only with the reader's own, or else without any.
    pub fn new(entry: &Entry, own: Option<&Language>, languages: &BTreeSet<Language>) -> Self {
        let for_reader = |language: &Language| own.is_some_and(|own| own.reads_like(language));
        let view = Self::with(entry, |language| for_reader(language) || languages.contains(language));
        if json_len(&view) < MESSAGE_LIMIT {
            return view;
        }
        let view = Self::with(entry, for_reader);
        if json_len(&view) < MESSAGE_LIMIT { view } else { Self::with(entry, |_| false) }
    }

    /// The entry as an event contains it: with all translations.
    pub fn of_event(entry: &Entry) -> Self {
        Self::new(entry, None, &entry.translations.keys().cloned().collect())
    }

    fn with(entry: &Entry, wanted: impl Fn(&Language) -> bool) -> Self {
        let translations = entry.translations.iter().filter(|(language, _)| wanted(language));
        Self {
            room_id: entry.room_id.clone(),
            seq: entry.seq,
            message_id: entry.message_id,
            kind: entry.kind,
            sender: entry.sender.clone(),
            message: entry.message.clone(),
            language: entry.language.clone(),
            sent_at: entry.sent_at,
            translations: translations
                .map(|(language, translation)| {
                    (language.clone(), TranslationView { language: language.clone(), translation: translation.clone() })
                })
                .collect(),
            reply_to: entry.reply_to,
            event: entry.event.clone(),
            edited_at: entry.edited_at,
            deleted_at: entry.deleted_at,
        }
    }
}

/// A member of a room.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Member"))]
#[derive(Clone, Serialize)]
pub struct MemberView {
    participant: Participant,
    role: Role,
    language: Option<Language>,
    name: Option<String>,
    /// The read position when the room was read; `read` events report changes.
    last_read_seq: LogPosition,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            participant: member.participant.clone(),
            role: member.role,
            language: member.language.clone(),
            name: member.name.clone(),
            last_read_seq: member.last_read_seq,
        }
    }
}

/// The newest text of a room, as a room list shows it.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LastMessage"))]
#[derive(Clone, Serialize)]
pub struct LastMessageView {
    /// The text.
    #[serde(flatten)]
    pub text: LastMessage,
    /// Its translation into the language of whoever lists the rooms, if there is one; cut like the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<TranslationView>,
}

impl LastMessageView {
    /// Adds the translation of the entry that this is a preview of.
    pub fn translate(&mut self, entry: &Entry, reader: &Language) {
        let mut fitting = entry.translations.iter().filter(|(language, _)| language.reads_like(reader));
        if let Some((language, translation)) = fitting.next()
            && entry.seq == self.text.seq
            && entry.deleted_at.is_none()
        {
            let text = translation.text.as_deref().map(LastMessage::cut);
            let translation = Translation { text, machine_text: None, ..translation.clone() };
            self.translation = Some(TranslationView { language: language.clone(), translation });
        }
    }
}

/// A room as one of its members sees it.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Room"))]
#[derive(Clone, Serialize)]
pub struct RoomView {
    room_id: RoomId,
    kind: RoomKind,
    name: Option<RoomName>,
    status: RoomStatus,
    /// The translation setting of a consult.
    #[serde(skip_serializing_if = "Option::is_none")]
    translation: Option<TranslationMode>,
    members: Vec<MemberView>,
    /// Absent for open rooms, whose members are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<u32>,
    last_seq: LogPosition,
    /// The newest text.
    pub last_message: Option<LastMessageView>,
    last_read_seq: LogPosition,
    unread_count: u64,
    /// When its newest entry was appended; orders a page of the room list.
    pub updated_at: Timestamp,
}

impl RoomView {
    /// The room as `own` sees it, showing `members`.
    pub fn new<'a>(room: &Room, own: &Member, members: impl IntoIterator<Item = &'a Member>) -> Self {
        Self {
            room_id: room.room_id.clone(),
            kind: room.kind,
            name: room.name.clone(),
            status: room.status,
            translation: (room.kind == RoomKind::Consult).then_some(room.translation()),
            members: members.into_iter().map(MemberView::from).collect(),
            member_count: (!room.room_id.is_open()).then_some(room.member_count),
            last_seq: room.last_seq,
            last_message: room.last_message.clone().map(|text| LastMessageView { text, translation: None }),
            last_read_seq: own.last_read_seq,
            // The head is derived from the log and may briefly be behind the read position.
            unread_count: room.text_count.saturating_sub(own.read_text_count),
            updated_at: room.updated_at,
        }
    }
}
