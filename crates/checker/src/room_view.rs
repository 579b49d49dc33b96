//! One room as one client displays it, after "Using `seq`" of the protocol: an entry is displayed when it is the next
//! one; an entry beyond a gap waits.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::entry::Entry;

#[derive(Debug, Default)]
pub struct RoomView {
    displayed: Vec<Entry>,
    waiting: BTreeMap<u64, Entry>,
    /// The highest `seq` that is known to exist.
    last_known: u64,
    /// The next `seq`, if it is missing, and since when it is known to be.
    missing: Option<(u64, Instant)>,
}

/// What an entry was to the client that received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    New,
    Duplicate,
    /// A different entry with the same `seq` was received before.
    Conflict {
        first: Entry,
    },
}

impl RoomView {
    /// The `seq` up to which everything is displayed; 0 at first.
    #[must_use]
    pub fn last_displayed(&self) -> u64 {
        self.displayed.len() as u64
    }

    #[must_use]
    pub fn displayed(&self) -> &[Entry] {
        &self.displayed
    }

    #[must_use]
    pub fn into_displayed(self) -> Vec<Entry> {
        self.displayed
    }

    pub fn receive(&mut self, entry: Entry, now: Instant) -> Received {
        self.last_known = self.last_known.max(entry.seq);
        let received = match self.known(entry.seq) {
            Some(known) if *known == entry => Received::Duplicate,
            Some(known) => Received::Conflict { first: known.clone() },
            None => {
                self.waiting.insert(entry.seq, entry);
                while let Some(next) = self.waiting.remove(&(self.last_displayed() + 1)) {
                    self.displayed.push(next);
                }
                Received::New
            }
        };
        self.look_for_gap(now);
        received
    }

    /// Learns that the room has an entry with this `seq`.
    pub fn learn_of(&mut self, seq: u64, now: Instant) {
        self.last_known = self.last_known.max(seq);
        self.look_for_gap(now);
    }

    /// Since when the next entry is known to exist without having been received.
    #[must_use]
    pub fn missing_since(&self) -> Option<Instant> {
        self.missing.map(|(_, since)| since)
    }

    fn known(&self, seq: u64) -> Option<&Entry> {
        let index = usize::try_from(seq.saturating_sub(1)).ok()?;
        self.displayed.get(index).or_else(|| self.waiting.get(&seq))
    }

    fn look_for_gap(&mut self, now: Instant) {
        let next = self.last_displayed() + 1;
        if next > self.last_known {
            self.missing = None;
        } else if self.missing.is_none_or(|(missing, _)| missing != next) {
            self.missing = Some((next, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry(seq: u64) -> Entry {
        let sender = "user:a".to_owned();
        Entry { seq, message_id: seq.to_string(), is_text: true, sender, digest: seq, sent_at: seq }
    }

    #[test]
    fn entry_beyond_gap_waits() {
        let now = Instant::now();
        let mut view = RoomView::default();
        view.receive(entry(1), now);
        view.receive(entry(3), now);
        assert_eq!(view.last_displayed(), 1);
        assert_eq!(view.missing_since(), Some(now));
        view.receive(entry(2), now);
        assert_eq!(view.displayed(), [entry(1), entry(2), entry(3)]);
        assert_eq!(view.missing_since(), None);
    }

    #[test]
    fn same_seq_is_duplicate_or_conflict() {
        let now = Instant::now();
        let mut view = RoomView::default();
        assert_eq!(view.receive(entry(1), now), Received::New);
        assert_eq!(view.receive(entry(1), now), Received::Duplicate);
        let other = Entry { digest: 9, ..entry(1) };
        assert_eq!(view.receive(other, now), Received::Conflict { first: entry(1) });
        assert_eq!(view.last_displayed(), 1);
    }

    #[test]
    fn gap_ages_from_next_missing_entry() {
        let early = Instant::now();
        let late = early + Duration::from_secs(1);
        let mut view = RoomView::default();
        view.learn_of(3, early);
        assert_eq!(view.missing_since(), Some(early));
        view.receive(entry(1), late);
        assert_eq!(view.missing_since(), Some(late), "2 is missing since 1 arrived");
    }
}
