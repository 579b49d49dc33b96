//! Judges from a room's last entries whether somebody sends too fast or the same again and again. Nothing is written to
//! count: what is judged is read for every send anyway.

use std::time::Duration;

use shared::chat::{Entry, EntryKind, MessageText};
use shared::clock::Timestamp;
use shared::ids::UserId;
use shared::wire::Refusal;

/// How many entries are judged.
pub const JUDGED: u16 = 8;

/// The same text may be sent three times within this time.
const REPEAT_WINDOW: Duration = Duration::from_secs(5);
const REPEATS: usize = 3;

/// How fast one person may send. Per person, never per hospital: one nurse's key repeat must not silence a clinic.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// [`JUDGED`] messages in a row within this time are too fast; zero: never.
    pub window: Duration,
}

impl Pace {
    /// Refuses `text` of `user` at `now`, judging by the room's last entries, newest first.
    pub fn judge(&self, tail: &[Entry], user: &UserId, text: &MessageText, now: Timestamp) -> Result<(), Refusal> {
        let own = |entry: &&Entry| entry.kind == EntryKind::Text && entry.sender.user_id == *user;
        let recent = tail.iter().filter(own).filter(|entry| now.since(entry.sent_at) < REPEAT_WINDOW);
        let same: Vec<_> = recent.filter(|entry| entry.message == text.as_str()).collect();
        if let Some(oldest) = same.get(REPEATS - 1) {
            let wait = REPEAT_WINDOW.saturating_sub(now.since(oldest.sent_at));
            return Err(Refusal::rate_limited("you have sent the same text several times", wait));
        }
        match tail.last() {
            Some(oldest) if tail.len() == usize::from(JUDGED) && tail.iter().all(|entry| own(&entry)) => {
                let wait = self.window.saturating_sub(now.since(oldest.sent_at));
                if wait.is_zero() { Ok(()) } else { Err(Refusal::rate_limited("you are sending too fast", wait)) }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::chat::{Sender, SystemEvent};
    use shared::wire::Code;

    use super::*;

    const PACE: Pace = Pace { window: Duration::from_secs(2) };

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

    fn judge(tail: &[Entry], text: &str, now: u64) -> Result<(), Refusal> {
        let text = MessageText::new(text.to_owned()).expect("valid");
        PACE.judge(tail, &"nurse".parse().expect("valid"), &text, Timestamp::from_millis(now))
    }

    #[test]
    fn the_same_text_a_fourth_time_within_five_seconds_is_refused() {
        let tail: Vec<_> = [3_000, 2_000, 1_000].map(|at| sent("nurse", "네", at)).into();
        let refusal = judge(&tail, "네", 4_000).expect_err("refused");
        assert_eq!(refusal.code, Code::RateLimited);
        assert!(judge(&tail, "아니요", 4_000).is_ok());
        assert!(judge(&tail, "네", 6_000).is_ok());
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
