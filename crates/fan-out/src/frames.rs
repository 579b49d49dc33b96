//! What is pushed for a batch of one room's changes, and to whom.

use std::collections::BTreeSet;

use shared::audience::Listeners;
use shared::chat::{Entry, EntryKind, Member, Room};
use shared::error::Error;
use shared::ids::{ConnectionId, Seq};
use shared::language::Language;
use shared::runtime::Change;
use shared::table::Connection;
use shared::wire::{Event, MessageView, RoomView, TranslationView};

/// Whom a frame concerns.
enum Concerns {
    /// Everybody but the connection whose reply was its copy.
    AllBut(Option<ConnectionId>),
    /// Who reads this language, and the hospital side, which may correct it.
    Readers(Language),
}

/// The frames of a batch, in the order of `seq`.
pub struct Frames {
    frames: Vec<(Concerns, String)>,
    /// Whether the batch holds the room's first entry.
    pub creates_room: bool,
}

impl Frames {
    /// The frames that these changes make.
    pub fn of(changes: &[Change]) -> Result<Self, Error> {
        let mut ordered: Vec<&Change> = changes.iter().collect();
        // Stable: a change of an entry stays behind the entry itself.
        ordered.sort_by_key(|change| change.after.seq);
        let mut frames = Vec::new();
        for change in ordered {
            match &change.before {
                None => frames.push(Self::entry(&change.after)?),
                Some(before) => {
                    if words(before) != words(&change.after) {
                        let (_, frame) = Self::entry(&change.after)?;
                        frames.push((Concerns::AllBut(None), frame));
                    }
                    Self::translations(before, &change.after, &mut frames)?;
                }
            }
        }
        let creates_room = changes.iter().any(|change| change.before.is_none() && change.after.seq == Seq::FIRST);
        Ok(Self { frames, creates_room })
    }

    fn entry(entry: &Entry) -> Result<(Concerns, String), Error> {
        let all: BTreeSet<Language> = entry.translations.keys().cloned().collect();
        let frame = Event::Message(MessageView::new(entry, None, &all)).to_frame()?;
        let origin = entry.origin.clone().filter(|_| entry.kind == EntryKind::Text);
        Ok((Concerns::AllBut(origin), frame))
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
    pub fn for_connection<'a>(
        &'a self,
        listeners: &'a Listeners,
        connection: &'a Connection,
    ) -> impl Iterator<Item = &'a str> {
        self.frames
            .iter()
            .filter(|(concerns, _)| concerns.include(listeners, connection))
            .map(|(_, frame)| frame.as_str())
    }
}

impl Concerns {
    fn include(&self, listeners: &Listeners, connection: &Connection) -> bool {
        match self {
            Self::AllBut(origin) => origin.as_ref() != Some(&connection.connection_id),
            Self::Readers(language) => {
                let member = listeners.member.as_ref().and_then(|member| member.language.as_ref());
                let mut reads = connection.language.iter().chain(member);
                connection.participant.is_hospital() || reads.any(|read| read.reads_like(language))
            }
        }
    }
}

/// What of an entry is the writer's own.
fn words(entry: &Entry) -> (&str, Option<shared::clock::Timestamp>, Option<shared::clock::Timestamp>) {
    (&entry.message, entry.edited_at, entry.deleted_at)
}

/// The room as one member sees it.
pub fn room_frame(room: &Room, own: &Member, members: &[Member]) -> Result<String, Error> {
    Ok(Event::Room { room: RoomView::new(room, own, members) }.to_frame()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shared::chat::{Sender, SystemEvent, Translation};
    use shared::clock::Timestamp;

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

    fn listener(id: &str, participant: &str, language: &str) -> (Listeners, Connection) {
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
        let nobody = Listeners { member: None, attentive: Vec::new(), glancing: Vec::new(), ended: Vec::new() };
        (nobody, connection)
    }

    fn received(frames: &Frames, (listeners, connection): &(Listeners, Connection)) -> Vec<String> {
        let type_of = |frame: &str| frame.split('"').nth(3).unwrap_or_default().to_owned();
        frames.for_connection(listeners, connection).map(type_of).collect()
    }

    #[test]
    fn a_new_text_goes_to_everybody_but_the_connection_it_came_from() {
        let frames = Frames::of(&[change(None, entry(2))]).expect("frames");
        assert_eq!(received(&frames, &listener("own", "user:u1", "ja")), Vec::<String>::new());
        assert_eq!(received(&frames, &listener("other device", "user:u1", "ja")), ["message"]);
        assert_eq!(received(&frames, &listener("staff", "hospital:h9", "ko")), ["message"]);
    }

    #[test]
    fn a_translation_goes_to_its_readers_and_to_the_hospital() {
        let mut after = entry(2);
        let korean = "ko".parse().expect("valid");
        after.translations.insert(korean, Translation::by_machine("네".to_owned(), 1, Timestamp::default()));
        let frames = Frames::of(&[change(Some(entry(2)), after.clone())]).expect("frames");
        assert_eq!(received(&frames, &listener("a", "user:u2", "ko-KR")), ["translation"]);
        assert_eq!(received(&frames, &listener("b", "user:u3", "ja")), Vec::<String>::new());
        assert_eq!(received(&frames, &listener("c", "hospital:h9", "en")), ["translation"]);
        let unchanged = Frames::of(&[change(Some(after.clone()), after)]).expect("frames");
        assert_eq!(received(&unchanged, &listener("c", "hospital:h9", "ko")), Vec::<String>::new());
    }

    #[test]
    fn entries_are_pushed_in_the_order_of_the_log_whatever_the_streams_was() {
        let frames = Frames::of(&[change(None, entry(3)), change(None, entry(2))]).expect("frames");
        let (listeners, connection) = listener("other", "hospital:h9", "ko");
        let texts: Vec<_> = frames.for_connection(&listeners, &connection).collect();
        assert!(texts[0].contains("\"seq\":2") && texts[1].contains("\"seq\":3"));
    }
}
