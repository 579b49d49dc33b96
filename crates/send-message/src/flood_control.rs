//! Judges from a room's last entries whether somebody sends too fast or the same again and again. Nothing is written to
//! count: what is judged is read for every send anyway.

use std::time::Duration;

use protocol::chat::{Entry, EntryKind, MessageText};
use protocol::clock::Timestamp;
use protocol::ids::UserId;
use protocol::wire::Refusal;
use shared::config::FloodLimits;

/// How many entries are judged.
pub const JUDGED: u16 = 8;

/// The same text may be sent three times within this time.
const REPEAT_WINDOW: Duration = Duration::from_secs(5);
const REPEATS: usize = 3;

/// How fast one person may send. Per person, never per hospital: one nurse's key repeat must not silence a clinic.
#[derive(Debug, Clone, Copy)]
pub struct FloodControl {
    pub limits: FloodLimits,
}

/// Why a message comes too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMuch {
    /// Too many in a row.
    Fast(Duration),
    /// The same again and again.
    Same(Duration),
    /// Muted for having done that.
    Muted(Duration),
}

impl TooMuch {
    /// What the person is told, and nobody else.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Fast(wait) => Refusal::rate_limited("you are sending too fast", wait),
            Self::Same(wait) => Refusal::rate_limited("you have sent the same text several times", wait),
            Self::Muted(wait) => {
                Refusal::rate_limited("you have sent the same text several times, and can write here again later", wait)
            }
        }
    }
}

impl FloodControl {
    /// Judges `text` of `user` at `now` by the room's last entries, newest first.
    pub fn judge(&self, tail: &[Entry], user: &UserId, text: &MessageText, now: Timestamp) -> Result<(), TooMuch> {
        let own = |entry: &Entry| entry.sender.user_id == *user;
        let texts = tail.iter().filter(|entry| entry.kind == EntryKind::Text && own(entry));
        let recent = texts.filter(|entry| now.since(entry.sent_at) < REPEAT_WINDOW);
        let same: Vec<_> = recent.filter(|entry| entry.message == text.as_str()).collect();
        if let Some(oldest) = same.get(REPEATS - 1) {
            let wait = REPEAT_WINDOW.saturating_sub(now.since(oldest.sent_at));
            return Err(TooMuch::Same(if self.limits.mute.is_zero() { wait } else { self.limits.mute }));
        }
        match tail.last() {
            Some(oldest) if tail.len() == usize::from(JUDGED) && tail.iter().all(own) => {
                let wait = self.limits.window.saturating_sub(now.since(oldest.sent_at));
                if wait.is_zero() { Ok(()) } else { Err(TooMuch::Fast(wait)) }
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

    fn judge(tail: &[Entry], text: &str, now: u64) -> Result<(), TooMuch> {
        let text = MessageText::new(text.to_owned()).expect("valid");
        CONTROL.judge(tail, &"nurse".parse().expect("valid"), &text, Timestamp::from_millis(now))
    }

    #[test]
    fn the_same_text_a_fourth_time_within_five_seconds_is_refused() {
        let tail: Vec<_> = [3_000, 2_000, 1_000].map(|at| sent("nurse", "네", at)).into();
        assert_eq!(judge(&tail, "네", 4_000), Err(TooMuch::Same(Duration::from_secs(20))));
        assert!(judge(&tail, "아니요", 4_000).is_ok());
        assert!(judge(&tail, "네", 6_000).is_ok());
    }

    #[test]
    fn what_a_person_changes_in_between_makes_no_room_for_more() {
        let mut tail: Vec<_> = (0..8).map(|at| sent("nurse", &at.to_string(), 1_000 + at)).rev().collect();
        tail[3].kind = EntryKind::System;
        assert!(judge(&tail, "9", 2_000).is_err());
        tail[3].sender.user_id = "colleague".parse().expect("valid");
        assert!(judge(&tail, "9", 2_000).is_ok());
    }

    #[test]
    fn a_colleague_of_the_same_hospital_is_not_held_up() {
        let tail: Vec<_> = (0..8).map(|at| sent("colleague", "네", 1_000 + at)).rev().collect();
        assert!(judge(&tail, "네", 1_100).is_ok());
    }

    #[test]
    fn a_ninth_message_in_a_row_within_two_seconds_waits_until_they_are_over() {
        let tail: Vec<_> = (0..8).map(|at| sent("nurse", &at.to_string(), 1_000 + at)).rev().collect();
        assert!(judge(&tail, "9", 2_000).is_err());
        assert!(judge(&tail, "9", 3_000).is_ok());
    }
}
