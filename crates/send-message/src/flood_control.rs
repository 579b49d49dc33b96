//! Tells from a room's last entries whether a person sends too fast or keeps repeating a text. Nothing is written for
//! it: every send reads these entries anyway.

use std::time::Duration;

use protocol::chat::{Entry, EntryKind, MessageText};
use protocol::clock::Timestamp;
use protocol::ids::UserId;
use protocol::wire::Refusal;
use shared::config::FloodLimits;

/// Entries that are examined.
pub const WINDOW_ENTRIES: u16 = 8;

/// A text may be sent three times within this time.
const REPEAT_WINDOW: Duration = Duration::from_secs(5);
const REPEATS: usize = 3;

/// How fast one person may send. Per person, never per hospital: one nurse's key repeat must not silence a clinic.
#[derive(Debug, Clone, Copy)]
pub struct FloodControl {
    pub limits: FloodLimits,
}

/// Why a message is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    /// Too many messages in a row.
    TooFast(Duration),
    /// The same text too often.
    Repeated(Duration),
    /// Muted for repeating a text.
    Muted(Duration),
}

impl Flood {
    /// Only the person is told.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::TooFast(wait) => Refusal::rate_limited("you are sending too fast; try again shortly", wait),
            Self::Repeated(wait) => {
                Refusal::rate_limited("you have sent the same text several times; try again later", wait)
            }
            Self::Muted(wait) => Refusal::rate_limited(
                "muted in this room for sending the same text several times; try again later",
                wait,
            ),
        }
    }
}

impl FloodControl {
    /// Checks `text` of `user` at `now` against the room's last entries, newest first.
    pub fn check(&self, tail: &[Entry], user: &UserId, text: &MessageText, now: Timestamp) -> Result<(), Flood> {
        let own = |entry: &Entry| entry.sender.user_id == *user;
        let texts = tail.iter().filter(|entry| entry.kind == EntryKind::Text && own(entry));
        let recent = texts.filter(|entry| now.since(entry.sent_at) < REPEAT_WINDOW);
        let same: Vec<_> = recent.filter(|entry| entry.message == text.as_str()).collect();
        if let Some(oldest) = same.get(REPEATS - 1) {
            let wait = REPEAT_WINDOW.saturating_sub(now.since(oldest.sent_at));
            return Err(Flood::Repeated(if self.limits.mute.is_zero() { wait } else { self.limits.mute }));
        }
        match tail.last() {
            Some(oldest) if tail.len() == usize::from(WINDOW_ENTRIES) && tail.iter().all(own) => {
                let wait = self.limits.window.saturating_sub(now.since(oldest.sent_at));
                if wait.is_zero() { Ok(()) } else { Err(Flood::TooFast(wait)) }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::chat::{Sender, SystemEvent};

    use super::*;

    const CONTROL: FloodControl =
        FloodControl { limits: FloodLimits { window: Duration::from_secs(2), mute: Duration::from_secs(20) } };

    fn sent(user: &str, text: &str, at: u64) -> Entry {
        let sender = Sender {
            participant: "hospital:h9".parse().expect("valid"),
            user_id: user.parse().expect("valid"),
            name: None,
        };
        let room = "consult:u1:h9".parse().expect("valid");
        let event = SystemEvent::RoomCreated;
        let entry = Entry::system(room, None, sender, event, Timestamp::from_millis(at));
        Entry { kind: EntryKind::Text, event: None, message: text.to_owned(), ..entry }
    }

    fn check(tail: &[Entry], text: &str, now: u64) -> Result<(), Flood> {
        let text = MessageText::new(text.to_owned()).expect("valid");
        CONTROL.check(tail, &"nurse".parse().expect("valid"), &text, Timestamp::from_millis(now))
    }

    #[test]
    fn fourth_repetition_within_five_seconds_is_refused() {
        let tail: Vec<_> = [3_000, 2_000, 1_000].map(|at| sent("nurse", "네", at)).into();
        assert_eq!(check(&tail, "네", 4_000), Err(Flood::Repeated(Duration::from_secs(20))));
        assert!(check(&tail, "아니요", 4_000).is_ok());
        assert!(check(&tail, "네", 6_000).is_ok());
    }

    #[test]
    fn system_entries_between_texts_do_not_help() {
        let mut tail: Vec<_> = (0..8).map(|at| sent("nurse", &at.to_string(), 1_000 + at)).rev().collect();
        tail[3].kind = EntryKind::System;
        assert!(check(&tail, "9", 2_000).is_err());
        tail[3].sender.user_id = "colleague".parse().expect("valid");
        assert!(check(&tail, "9", 2_000).is_ok());
    }

    #[test]
    fn colleague_is_not_throttled() {
        let tail: Vec<_> = (0..8).map(|at| sent("colleague", "네", 1_000 + at)).rev().collect();
        assert!(check(&tail, "네", 1_100).is_ok());
    }

    #[test]
    fn ninth_message_in_a_row_waits_for_the_window() {
        let tail: Vec<_> = (0..8).map(|at| sent("nurse", &at.to_string(), 1_000 + at)).rev().collect();
        assert!(check(&tail, "9", 2_000).is_err());
        assert!(check(&tail, "9", 3_000).is_ok());
    }
}
