//! Keeps what is derived from a room's log up to date: its head, the order of its members' room lists, and the senders'
//! own read marks. Every write is monotone, so a batch that is repeated or late changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use protocol::chat::{Entry, EntryKind, LastMessage, Member};
use protocol::ids::{LogPosition, Participant, RoomId};
use shared::adapters::dynamodb::{Head, Members, Rooms};
use shared::error::Error;

pub struct Upkeep {
    pub rooms: Rooms,
    pub members: Members,
}

/// A room's place in a member's list is updated once it is this much behind.
const LIST_LAG: Duration = Duration::from_secs(60);
const MAX_CONCURRENCY: usize = 16;

/// Consecutive texts of one sender.
struct Run {
    /// Texts in the log before the first of them.
    texts_before: u64,
    seq: LogPosition,
    text_count: u64,
}

impl Upkeep {
    /// Applies the entries that were added.
    pub async fn after(&self, room_id: &RoomId, added: &[&Entry], members: &[Member]) -> Result<(), Error> {
        let Some(newest) = added.iter().max_by_key(|entry| entry.seq) else { return Ok(()) };
        let newest_text = added.iter().filter(|entry| entry.kind == EntryKind::Text).max_by_key(|entry| entry.seq);
        let head = Head {
            seq: newest.seq,
            text_count: newest.text_count,
            updated_at: newest.sent_at,
            last_message: newest_text.map(|entry| LastMessage::of(entry)),
        };
        tokio::try_join!(
            async { Ok(self.rooms.advance(room_id, &head).await?) },
            self.move_own_marks(room_id, added),
            self.touch_lists(room_id, newest, members),
        )?;
        Ok(())
    }

    /// Senders have read their own texts if they had read everything before them. Between two runs of one sender is
    /// another's text, so at most one run moves the mark: its current position decides which, as if each entry had come
    /// alone.
    async fn move_own_marks(&self, room_id: &RoomId, added: &[&Entry]) -> Result<(), Error> {
        for (participant, runs) in own_runs(added) {
            for run in runs.into_iter().rev() {
                if self.members.mark_read(room_id, participant, run.seq, run.text_count, run.texts_before).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Moves the room up in its members' room lists. Open rooms have too many members for that.
    async fn touch_lists(&self, room_id: &RoomId, newest: &Entry, members: &[Member]) -> Result<(), Error> {
        let late = members.iter().filter(|member| newest.sent_at.since(member.last_activity) > LIST_LAG);
        stream::iter(late)
            .map(Ok)
            .try_for_each_concurrent(MAX_CONCURRENCY, async |member| {
                self.members.touch(room_id, &member.participant, newest.sent_at).await?;
                Ok(())
            })
            .await
    }
}

/// Each sender's runs of consecutive texts, in the order of the log.
fn own_runs<'a>(added: &[&'a Entry]) -> BTreeMap<&'a Participant, Vec<Run>> {
    let mut texts: Vec<&'a Entry> = added.iter().copied().filter(|entry| entry.kind == EntryKind::Text).collect();
    texts.sort_by_key(|entry| entry.seq);
    let mut all: BTreeMap<&Participant, Vec<Run>> = BTreeMap::new();
    for entry in texts {
        let seq = LogPosition::from(entry.seq);
        let text_count = entry.text_count;
        let runs = all.entry(&entry.sender.participant).or_default();
        match runs.last_mut() {
            // A batch may contain an entry twice.
            Some(run) if run.text_count == text_count => {}
            Some(run) if run.text_count + 1 == text_count => {
                run.seq = seq;
                run.text_count = text_count;
            }
            _ => runs.push(Run { texts_before: text_count - 1, seq, text_count }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use protocol::chat::{Sender, SystemEvent};
    use protocol::clock::Timestamp;

    use super::*;

    fn log(senders: &[&str]) -> Vec<Entry> {
        let mut log: Vec<Entry> = Vec::new();
        for user in senders {
            let sender = Sender {
                participant: format!("user:{user}").parse().expect("valid"),
                user_id: user.parse().expect("valid"),
                name: None,
            };
            let room = "direct:a:b".parse().expect("valid");
            let mut entry = Entry::system(room, log.last(), sender, SystemEvent::RoomCreated, Timestamp::default());
            entry.kind = EntryKind::Text;
            entry.text_count += 1;
            log.push(entry);
        }
        log
    }

    #[test]
    fn runs_are_consecutive_texts_of_one_sender() {
        let log = log(&["a", "a", "b", "b", "a"]);
        let runs = own_runs(&log.iter().collect::<Vec<_>>());
        let of = |user: &str| {
            let runs = &runs[&user.parse::<Participant>().expect("valid")];
            runs.iter().map(|run| (run.texts_before, run.seq.get(), run.text_count)).collect::<Vec<_>>()
        };
        assert_eq!(of("user:a"), [(0, 2, 2), (4, 5, 5)]);
        assert_eq!(of("user:b"), [(2, 4, 4)]);
    }

    /// The final position of a mark (texts read) that these batches of a log move one after the other, under the
    /// condition of each write in the table.
    fn marked<'a>(of: &str, start: u64, batches: impl Iterator<Item = &'a [Entry]>) -> u64 {
        let of: Participant = of.parse().expect("valid");
        batches.fold(start, |read, batch| {
            let runs = own_runs(&batch.iter().collect::<Vec<_>>()).remove(&of).unwrap_or_default();
            let moving = runs.iter().rev().find(|run| read >= run.texts_before && read < run.text_count);
            moving.map_or(read, |run| run.text_count)
        })
    }

    #[test]
    fn mark_moves_the_same_in_batches_as_one_by_one() {
        for senders in ["aabba", "abab", "baab", "bbaaa", "aaaa", "abba"] {
            let log = log(&senders.split("").filter(|sender| !sender.is_empty()).collect::<Vec<_>>());
            for start in 0..=log.len() as u64 {
                let one_by_one = marked("user:a", start, log.chunks(1));
                for size in 2..=log.len() {
                    let batched = marked("user:a", start, log.chunks(size));
                    assert_eq!(batched, one_by_one, "{senders} from {start} in batches of {size}");
                }
            }
        }
        assert_eq!(marked("user:a", 0, std::iter::once(log(&["a", "a", "b", "b", "a"]).as_slice())), 2);
    }
}
