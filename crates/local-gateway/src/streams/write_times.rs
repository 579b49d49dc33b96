//! When records were written, for readers that must be as late as on AWS: DynamoDB itself stores whole seconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::dynamodb::Database;
use crate::faults::Faults;

/// The moments at which the last record of a stream was seen to change. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct WriteTimes(Arc<Mutex<VecDeque<(i64, Instant)>>>);

impl WriteTimes {
    /// Records write times until the database is closed, as long as there are latencies to inject.
    pub(super) async fn watch(&self, database: &Database, table: &str, faults: &Faults) {
        let mut writes = database.writes();
        while writes.changed().await.is_ok() {
            if !faults.have_latencies() {
                continue;
            }
            // Before the query, which takes time itself.
            let now = Instant::now();
            if let Ok(Some(last)) = database.last_record(table).await {
                self.record(last, now);
            }
        }
    }

    fn record(&self, last: i64, now: Instant) {
        let mut times = self.times();
        if times.back().is_none_or(|(before, _)| *before < last) {
            times.push_back((last, now));
        }
    }

    /// When a record was written, or now if unknown. Forgets all earlier records.
    pub(super) fn of(&self, number: i64) -> Instant {
        let mut times = self.times();
        while times.front().is_some_and(|(last, _)| *last < number) {
            times.pop_front();
        }
        times.front().map_or_else(Instant::now, |(_, written)| *written)
    }

    fn times(&self) -> MutexGuard<'_, VecDeque<(i64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn write_time_is_when_first_seen() {
        let times = WriteTimes::default();
        let noon = Instant::now();
        let after = |seconds| noon + Duration::from_secs(seconds);
        for (last, seconds) in [(3, 1), (3, 2), (5, 3), (6, 4)] {
            times.record(last, after(seconds));
        }
        assert_eq!([2, 3, 4, 5, 6].map(|number| times.of(number)), [1, 1, 3, 3, 4].map(after));
        let before = Instant::now();
        assert!(times.of(7) >= before);
    }
}
