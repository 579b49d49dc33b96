//! What is pushed for a batch of one room's changes, and to whom.

use std::collections::{BTreeMap, BTreeSet};

use protocol::chat::{Entry, EntryKind, Member, Room};
use protocol::ids::{ConnectionId, Seq};
use protocol::language::Language;
use protocol::wire::{Event, MessageView, RoomView, TranslationView};
use shared::error::Error;
use shared::runtime::Change;
use shared::services::audience::Listener;

/// The connections that a frame concerns.
enum Concerns {
    /// All but those that have it already, from the reply or from the express lane.
    AllBut(BTreeSet<ConnectionId>),
    /// Readers of this language, and the hospital side, which may correct the translation.
    Readers(Language),
}

/// The frames of a batch, in the order of `seq`.
pub struct Frames {
    frames: Vec<(Concerns, String)>,
    /// Whether the batch holds the room's first entry.
    pub creates_room: bool,
}

impl Frames {
    /// The frames of these changes; `pushed` says which connections have which new text already.
    pub fn of(changes: &[Change], pushed: &BTreeMap<Seq, BTreeSet<ConnectionId>>) -> Result<Self, Error> {
        let mut ordered: Vec<&Change> = changes.iter().collect();
        // Stable: a change of an entry stays behind the entry itself.
        ordered.sort_by_key(|change| change.after.seq);
        let mut frames = Vec::new();
        for change in ordered {
            match &change.before {
                None => frames.push(Self::new_entry(&change.after, pushed)?),
                Some(before) => {
                    if words(before) != words(&change.after) {
                        let frame = Event::Message(MessageView::of_event(&change.after)).to_frame()?;
                        frames.push((Concerns::AllBut(BTreeSet::new()), frame));
                    }
                    Self::translations(before, &change.after, &mut frames)?;
                }
            }
        }
        let creates_room = changes.iter().any(|change| change.before.is_none() && change.after.seq == Seq::FIRST);
        Ok(Self { frames, creates_room })
    }

    fn new_entry(entry: &Entry, pushed: &BTreeMap<Seq, BTreeSet<ConnectionId>>) -> Result<(Concerns, String), Error> {
        let mut served = BTreeSet::new();
        if entry.kind == EntryKind::Text {
            served.extend(pushed.get(&entry.seq).cloned().unwrap_or_default());
            served.extend(entry.origin.clone());
        }
        Ok((Concerns::AllBut(served), Event::Message(MessageView::of_event(entry)).to_frame()?))
    }

    fn translations(before: &Entry, after: &Entry, frames: &mut Vec<(Concerns, String)>) -> Result<(), Error> {
        for (language, translation) in &after.translations {
            if before.translations.get(language) != Some(translation) {
                let translation = TranslationView { language: language.clone(), translation: translation.clone() };
                let event = Event::Translation { room_id: after.room_id.clone(), seq: after.seq, translation };
                frames.push((Concerns::Readers(language.clone()), event.to_frame()?));
            }
        }
        Ok(())
    }

    /// The frames that concern one connection.
    pub fn concerning<'a>(&'a self, listener: &'a Listener<'_>) -> impl Iterator<Item = &'a str> {
        self.frames.iter().filter(|(concerns, _)| concerns.include(listener)).map(|(_, frame)| frame.as_str())
    }
}

impl Concerns {
    fn include(&self, Listener { connection, member, .. }: &Listener<'_>) -> bool {
        match self {
            Self::AllBut(served) => !served.contains(&connection.connection_id),
            Self::Readers(language) => {
                let member = member.and_then(|member| member.language.as_ref());
                let mut reads = connection.language.iter().chain(member);
                connection.participant.is_hospital() || reads.any(|read| read.reads_like(language))
            }
        }
    }
}

/// The part of an entry that only its author changes.
fn words(entry: &Entry) -> (&str, Option<protocol::clock::Timestamp>, Option<protocol::clock::Timestamp>) {
    (&entry.message, entry.edited_at, entry.deleted_at)
}

/// A `room` event with the room as one member sees it.
pub fn room_frame(room: &Room, own: &Member, members: &[Member]) -> Result<String, Error> {
    Ok(Event::Room { room: RoomView::new(room, own, members) }.to_frame()?)
}

#[cfg(test)]
mod tests {
    use protocol::chat::{Sender, SystemEvent, Translation};
    use protocol::clock::Timestamp;
    use shared::adapters::dynamodb::Connection;
    use shared::services::audience::DeliveryMode;

    use super::*;

    fn entry(seq: u64) -> Entry {
        let sender = Sender {
            participant: "user:u1".parse().expect("valid"),
            user_id: "u1".parse().expect("valid"),
            name: None,
        };
        let room = "consult:u1:h9".parse().expect("valid");
        let entry = Entry::system(room, None, sender, SystemEvent::RoomCreated, Timestamp::default());
        let seq = Seq::try_from(seq).expect("valid");
        Entry { seq, kind: EntryKind::Text, event: None, origin: Some(ConnectionId::new("own")), ..entry }
    }

    fn change(before: Option<Entry>, after: Entry) -> Change {
        Change { sequence_number: "1".to_owned(), before, after }
    }

    fn listener(id: &str, participant: &str, language: &str) -> Listener<'static> {
        let connection = Connection {
            audience: participant.to_owned(),
            connection_id: ConnectionId::new(id),
            participant: participant.parse().expect("valid"),
            user_id: "x".parse().expect("valid"),
            name: None,
            language: language.parse().ok(),
            rooms: BTreeSet::new(),
            current_room: None,
            connected_at: Timestamp::default(),
            session_until: Timestamp::default(),
            expires_at: 0,
        };
        Listener { connection, member: None, mode: DeliveryMode::Full }
    }

    fn frames(changes: &[Change]) -> Frames {
        Frames::of(changes, &BTreeMap::new()).expect("frames")
    }

    fn received(frames: &Frames, listener: &Listener<'_>) -> Vec<String> {
        let type_of = |frame: &str| frame.split('"').nth(3).unwrap_or_default().to_owned();
        frames.concerning(listener).map(type_of).collect()
    }

    #[test]
    fn new_text_skips_its_origin_connection() {
        let frames = frames(&[change(None, entry(2))]);
        assert_eq!(received(&frames, &listener("own", "user:u1", "ja")), Vec::<String>::new());
        assert_eq!(received(&frames, &listener("other device", "user:u1", "ja")), ["message"]);
        assert_eq!(received(&frames, &listener("staff", "hospital:h9", "ko")), ["message"]);
    }

    #[test]
    fn text_skips_connections_already_served() {
        let pushed = BTreeMap::from([(entry(2).seq, BTreeSet::from([ConnectionId::new("staff")]))]);
        let frames = Frames::of(&[change(None, entry(2)), change(None, entry(3))], &pushed).expect("frames");
        assert_eq!(received(&frames, &listener("staff", "hospital:h9", "ko")), ["message"]);
        assert_eq!(received(&frames, &listener("came later", "hospital:h9", "ko")), ["message", "message"]);
    }

    #[test]
    fn translation_reaches_readers_and_hospital() {
        let mut after = entry(2);
        let korean = "ko".parse().expect("valid");
        after.translations.insert(korean, Translation::by_machine("네".to_owned(), 1, Timestamp::default()));
        let changed = frames(&[change(Some(entry(2)), after.clone())]);
        assert_eq!(received(&changed, &listener("a", "user:u2", "ko-KR")), ["translation"]);
        assert_eq!(received(&changed, &listener("b", "user:u3", "ja")), Vec::<String>::new());
        assert_eq!(received(&changed, &listener("c", "hospital:h9", "en")), ["translation"]);
        let unchanged = frames(&[change(Some(after.clone()), after)]);
        assert_eq!(received(&unchanged, &listener("c", "hospital:h9", "ko")), Vec::<String>::new());
    }

    #[test]
    fn frames_follow_log_order() {
        let frames = frames(&[change(None, entry(3)), change(None, entry(2))]);
        let other = listener("other", "hospital:h9", "ko");
        let texts: Vec<_> = frames.concerning(&other).collect();
        assert!(texts[0].contains("\"seq\":2") && texts[1].contains("\"seq\":3"));
    }
}
