//! Keeps what is derived from a room's log up to date: its head, the order of its members' room lists, and what the
//! senders have read. Every write is monotone, so a batch that is repeated or late changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use protocol::chat::{Entry, EntryKind, LastMessage, Member};
use protocol::ids::{Participant, RoomId, Seq};
use shared::adapters::dynamodb::{Head, Members, OwnTexts, Rooms};
use shared::error::Error;

pub struct Upkeep {
    pub rooms: Rooms,
    pub members: Members,
}

/// A room's place in a member's list is updated once it is this much behind.
const LIST_LAG: Duration = Duration::from_secs(60);
const MAX_CONCURRENCY: usize = 16;

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
            self.record_own_texts(room_id, added),
            self.touch_lists(room_id, newest, members),
        )?;
        Ok(())
    }

    /// Own texts never count as unread. Runs are recorded in the order of the log, each at once; if part of one was
    /// recorded before, text by text.
    async fn record_own_texts(&self, room_id: &RoomId, added: &[&Entry]) -> Result<(), Error> {
        let runs_by_sender = own_runs(added);
        let record = async |(participant, runs): (&&Participant, &Vec<Run>)| {
            for run in runs {
                if run.len() > 1 && self.members.record_own_texts(room_id, participant, &own_texts(run)).await? {
                    continue;
                }
                for text in run.chunks(1) {
                    self.members.record_own_texts(room_id, participant, &own_texts(text)).await?;
                }
            }
            Ok::<_, Error>(())
        };
        stream::iter(&runs_by_sender).map(Ok).try_for_each_concurrent(MAX_CONCURRENCY, record).await
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

/// Consecutive texts of one sender: their numbers, and the log's `text_count` at each.
type Run = Vec<(Seq, u64)>;

/// Each sender's runs, in the order of the log.
fn own_runs<'a>(added: &[&'a Entry]) -> BTreeMap<&'a Participant, Vec<Run>> {
    let mut texts: Vec<&'a Entry> = added.iter().copied().filter(|entry| entry.kind == EntryKind::Text).collect();
    texts.sort_by_key(|entry| entry.seq);
    // A batch may contain an entry twice.
    texts.dedup_by_key(|entry| entry.seq);
    let mut all: BTreeMap<&Participant, Vec<Run>> = BTreeMap::new();
    for entry in texts {
        let text = (entry.seq, entry.text_count);
        let runs = all.entry(&entry.sender.participant).or_default();
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|(_, text_count)| text_count + 1 == entry.text_count) => run.push(text),
            _ => runs.push(vec![text]),
        }
    }
    all
}

/// A part of a run, which is not empty.
fn own_texts(run: &[(Seq, u64)]) -> OwnTexts {
    let (first, _) = run.first().copied().unwrap_or((Seq::FIRST, 0));
    let (last, text_count) = run.last().copied().unwrap_or((first, 0));
    OwnTexts { first, last, count: run.len() as u64, text_count }
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
        let twice: Vec<&Entry> = log.iter().chain(&log).collect();
        let runs = own_runs(&twice);
        let of = |user: &str| {
            let runs = &runs[&user.parse::<Participant>().expect("valid")];
            let texts = runs.iter().map(|run| own_texts(run));
            texts.map(|run| (run.first.get(), run.last.get(), run.count, run.text_count)).collect::<Vec<_>>()
        };
        assert_eq!(of("user:a"), [(1, 2, 2, 2), (5, 5, 1, 5)]);
        assert_eq!(of("user:b"), [(3, 4, 2, 4)]);
    }

    /// A member's row, and the conditional writes of the table.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Mark {
        last_read_seq: u64,
        read_text_count: u64,
        own_seq: u64,
    }

    impl Mark {
        fn record(&mut self, texts: OwnTexts) -> bool {
            let is_new = self.last_read_seq < texts.first.get() && self.own_seq < texts.first.get();
            if is_new && self.read_text_count >= texts.text_count - texts.count {
                self.last_read_seq = texts.last.get();
                self.read_text_count = texts.text_count;
            } else if is_new {
                self.own_seq = texts.last.get();
                self.read_text_count += texts.count;
            }
            is_new
        }

        /// What these batches, one after the other, make of the mark of somebody who has read up to `start`.
        fn after<'a>(of: &str, start: u64, batches: impl Iterator<Item = &'a [Entry]>) -> Self {
            let of: Participant = of.parse().expect("valid");
            let mut mark = Self { last_read_seq: start, read_text_count: start, own_seq: 0 };
            for batch in batches {
                for run in own_runs(&batch.iter().collect::<Vec<_>>()).remove(&of).unwrap_or_default() {
                    if !mark.record(own_texts(&run)) {
                        run.chunks(1).for_each(|text| {
                            mark.record(own_texts(text));
                        });
                    }
                }
            }
            mark
        }
    }

    #[test]
    fn unread_texts_are_those_of_others_after_the_mark() {
        for senders in ["aabba", "abab", "baab", "bbaaa", "aaaa", "abba", "baaabaa"] {
            let log = log(&senders.split("").filter(|sender| !sender.is_empty()).collect::<Vec<_>>());
            for start in 0..=log.len() as u64 {
                let one_by_one = Mark::after("user:a", start, log.chunks(1));
                for size in 2..=log.len() {
                    let batched = Mark::after("user:a", start, log.chunks(size));
                    assert_eq!(batched, one_by_one, "{senders} from {start} in batches of {size}");
                    let repeated = log.chunks(size).flat_map(|batch| [&batch[..1], batch, batch]);
                    let repeated = Mark::after("user:a", start, repeated);
                    assert_eq!(repeated, one_by_one, "{senders} from {start} in repeated batches of {size}");
                }
                let others = |entry: &&Entry| {
                    entry.seq.get() > one_by_one.last_read_seq && entry.sender.participant.to_string() != "user:a"
                };
                let unread = log.len() as u64 - one_by_one.read_text_count;
                assert_eq!(unread, log.iter().filter(others).count() as u64, "{senders} from {start}");
            }
        }
    }
}
