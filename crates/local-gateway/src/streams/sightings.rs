//! When records were written, for readers that are to be as late as on AWS: DynamoDB's own note of it is in seconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::dynamodb::Database;
use crate::faults::Faults;

/// The moments at which the last record of a stream was seen to be another one. Clones are the same notes.
#[derive(Debug, Clone, Default)]
pub(super) struct Sightings(Arc<Mutex<VecDeque<(i64, Instant)>>>);

impl Sightings {
    /// Takes notes until the database is gone; without latencies there is nothing to note.
    pub(super) async fn watch(&self, database: &Database, table: &str, faults: &Faults) {
        let mut writes = database.writes();
        while writes.changed().await.is_ok() {
            if !faults.have_latencies() {
                continue;
            }
            // Before the look, which takes a moment of its own.
            let seen = Instant::now();
            if let Ok(Some(last)) = database.last_record(table).await {
                self.note(last, seen);
            }
        }
    }

    /// Notes that this is the last record now.
    fn note(&self, last: i64, seen: Instant) {
        let mut notes = self.notes();
        if notes.back().is_none_or(|(before, _)| *before < last) {
            notes.push_back((last, seen));
        }
    }

    /// When a record was written: now, where it was not noted yet. What is known of those before it is forgotten.
    pub(super) fn of(&self, number: i64) -> Instant {
        let mut notes = self.notes();
        while notes.front().is_some_and(|(last, _)| *last < number) {
            notes.pop_front();
        }
        notes.front().map_or_else(Instant::now, |(_, seen)| *seen)
    }

    fn notes(&self) -> MutexGuard<'_, VecDeque<(i64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_record_was_written_when_it_was_first_seen_however_much_later_it_is_asked_for() {
        let (sightings, noon) = (Sightings::default(), Instant::now());
        let after = |seconds| noon + Duration::from_secs(seconds);
        for (last, seconds) in [(3, 1), (3, 2), (5, 3), (6, 4)] {
            sightings.note(last, after(seconds));
        }
        assert_eq!([2, 3, 4, 5, 6].map(|number| sightings.of(number)), [1, 1, 3, 3, 4].map(after));
        let before = Instant::now();
        assert!(sightings.of(7) >= before);
    }
}
