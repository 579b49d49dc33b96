//! One room as one client reads it, after PROTOCOL's "Using `seq`": an entry is shown once it is the next one; what comes
//! beyond a gap waits.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::entry::Entry;

/// What a client has of a room.
#[derive(Debug, Default)]
pub struct Reading {
    shown: Vec<Entry>,
    waiting: BTreeMap<u64, Entry>,
    /// The highest number that is known to exist.
    heard_of: u64,
    /// The number that is missing next, and since when that is known.
    missing: Option<(u64, Instant)>,
}

/// What an entry was to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It had not come before.
    New,
    /// The same had come before.
    Double,
    /// Another entry had come under its number.
    Contradiction {
        /// That one.
        first: Entry,
    },
}

impl Reading {
    /// Up to which number everything is there; 0 at first.
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.shown.len() as u64
    }

    /// What was shown, in the order in which it was.
    #[must_use]
    pub fn shown(&self) -> &[Entry] {
        &self.shown
    }

    /// What it ends with.
    #[must_use]
    pub fn into_shown(self) -> Vec<Entry> {
        self.shown
    }

    /// Takes in a copy of an entry.
    pub fn receive(&mut self, entry: Entry, now: Instant) -> Received {
        self.heard_of = self.heard_of.max(entry.seq);
        let received = match self.known(entry.seq) {
            Some(known) if *known == entry => Received::Double,
            Some(known) => Received::Contradiction { first: known.clone() },
            None => {
                self.waiting.insert(entry.seq, entry);
                while let Some(next) = self.waiting.remove(&(self.mark() + 1)) {
                    self.shown.push(next);
                }
                Received::New
            }
        };
        self.look_for_a_gap(now);
        received
    }

    /// Learns that the room has an entry of this number.
    pub fn hear_of(&mut self, seq: u64, now: Instant) {
        self.heard_of = self.heard_of.max(seq);
        self.look_for_a_gap(now);
    }

    /// Since when the next entry is known to exist without being here.
    #[must_use]
    pub fn missing_since(&self) -> Option<Instant> {
        self.missing.map(|(_, since)| since)
    }

    fn known(&self, seq: u64) -> Option<&Entry> {
        let index = usize::try_from(seq.saturating_sub(1)).ok()?;
        self.shown.get(index).or_else(|| self.waiting.get(&seq))
    }

    fn look_for_a_gap(&mut self, now: Instant) {
        let next = self.mark() + 1;
        if next > self.heard_of {
            self.missing = None;
        } else if self.missing.is_none_or(|(missing, _)| missing != next) {
            self.missing = Some((next, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> Entry {
        Entry { seq, message_id: seq.to_string(), text: true, sender: "user:a".to_owned(), digest: seq, sent_at: seq }
    }

    #[test]
    fn what_comes_beyond_a_gap_is_shown_when_the_gap_closes() {
        let (mut reading, now) = (Reading::default(), Instant::now());
        reading.receive(entry(1), now);
        reading.receive(entry(3), now);
        assert_eq!(reading.mark(), 1);
        assert_eq!(reading.missing_since(), Some(now));
        reading.receive(entry(2), now);
        assert_eq!(reading.shown(), [entry(1), entry(2), entry(3)]);
        assert_eq!(reading.missing_since(), None);
    }

    #[test]
    fn a_copy_is_shown_once_and_another_entry_under_its_number_is_a_contradiction() {
        let (mut reading, now) = (Reading::default(), Instant::now());
        assert_eq!(reading.receive(entry(1), now), Received::New);
        assert_eq!(reading.receive(entry(1), now), Received::Double);
        let other = Entry { digest: 9, ..entry(1) };
        assert_eq!(reading.receive(other, now), Received::Contradiction { first: entry(1) });
        assert_eq!(reading.mark(), 1);
    }

    #[test]
    fn a_gap_is_as_old_as_the_knowledge_of_the_next_missing_number() {
        let (mut reading, early) = (Reading::default(), Instant::now());
        let late = early + std::time::Duration::from_secs(1);
        reading.hear_of(3, early);
        assert_eq!(reading.missing_since(), Some(early));
        reading.receive(entry(1), late);
        assert_eq!(reading.missing_since(), Some(late), "2 is missing since 1 came");
    }
}
