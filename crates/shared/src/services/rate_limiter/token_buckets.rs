//! Token buckets in the memory of one process: they cost nothing, but another process of the same function has its own.
//! Where a limit must hold exactly, it is kept in the `guards` table instead.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use protocol::clock::Timestamp;

use crate::adapters::dynamodb::Decision;
use crate::config::Rate;

/// A bucket, stored as the time since the epoch when it will be full again (GCRA, ITU-T I.371).
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// The bucket after one more token was taken, and how long that token is still missing.
    fn without_token(self, interval: Duration, burst: u32, now: Timestamp) -> (Self, Duration) {
        let now = Duration::from_millis(now.millis());
        let full_at = self.full_at.max(now) + interval;
        (Self { full_at }, full_at.saturating_sub(now + interval.saturating_mul(burst)))
    }

    fn is_full(self, now: Timestamp) -> bool {
        self.full_at <= Duration::from_millis(now.millis())
    }
}

/// One bucket for each key.
#[derive(Debug)]
pub struct TokenBuckets<K> {
    rate: Rate,
    /// Those that may not be full.
    buckets: HashMap<K, Bucket>,
}

impl<K: Clone + Eq + Hash> TokenBuckets<K> {
    /// About a megabyte. A process cannot serve as many people before their buckets are full again.
    const CAPACITY: usize = 10_000;

    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: HashMap::new() }
    }

    /// Takes a token of the key's bucket, or none while it is empty.
    pub fn take(&mut self, key: &K, now: Timestamp) -> Decision {
        let Rate { interval: Some(interval), burst } = self.rate else { return Decision::Allowed };
        let bucket = self.buckets.get(key).copied().unwrap_or_default();
        let (rest, retry_after) = bucket.without_token(interval, burst, now);
        if !retry_after.is_zero() {
            return Decision::Limited { retry_after };
        }
        if self.buckets.len() >= Self::CAPACITY {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.buckets.len() < Self::CAPACITY {
            self.buckets.insert(key.clone(), rest);
        }
        Decision::Allowed
    }
}

/// One bucket whose tokens are waited for.
#[derive(Debug)]
pub struct Pacer {
    rate: Rate,
    bucket: Cell<Bucket>,
}

impl Pacer {
    pub fn new(rate: Rate) -> Self {
        Self { rate, bucket: Cell::default() }
    }

    /// Takes a token, and returns how long to wait for it.
    pub fn delay(&self, now: Timestamp) -> Duration {
        let Rate { interval: Some(interval), burst } = self.rate else { return Duration::ZERO };
        let (rest, delay) = self.bucket.get().without_token(interval, burst, now);
        self.bucket.set(rest);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn limited(retry_after: Duration) -> Decision {
        Decision::Limited { retry_after }
    }

    #[test]
    fn each_key_has_its_own_bucket() {
        let mut buckets = TokenBuckets::new(Rate::new(60, 60 * SECOND, 2));
        let taken = ["a", "a", "a", "b"].map(|key| buckets.take(&key, NOW));
        assert_eq!(taken, [Decision::Allowed, Decision::Allowed, limited(SECOND), Decision::Allowed]);
    }

    #[test]
    fn refused_requests_take_nothing() {
        let mut buckets = TokenBuckets::new(Rate::new(1, SECOND, 1));
        assert_eq!(buckets.take(&"a", NOW), Decision::Allowed);
        for millis in [0, 300, 600, 900] {
            let wait = SECOND.saturating_sub(Duration::from_millis(millis));
            assert_eq!(buckets.take(&"a", NOW + Duration::from_millis(millis)), limited(wait));
        }
        assert_eq!(buckets.take(&"a", NOW + SECOND), Decision::Allowed);
    }

    #[test]
    fn long_run_keeps_to_the_rate() {
        let mut buckets = TokenBuckets::new(Rate::new(7, 60 * SECOND, 3));
        let allowed = (0..3_600_000).step_by(100).map(|millis| NOW + Duration::from_millis(millis));
        let allowed = allowed.filter(|now| buckets.take(&"a", *now) == Decision::Allowed).count();
        assert_eq!(allowed, 3 + 7 * 60 - 1);
    }

    #[test]
    fn zero_rate_sets_no_limit() {
        let none = Rate::new(0, SECOND, 1);
        let mut buckets = TokenBuckets::new(none);
        let pacer = Pacer::new(none);
        assert!((0..1_000).all(|_| buckets.take(&"a", NOW) == Decision::Allowed && pacer.delay(NOW).is_zero()));
        assert!(buckets.buckets.is_empty());
    }

    #[test]
    fn only_full_buckets_are_forgotten() {
        let mut buckets = TokenBuckets::new(Rate::new(1, SECOND, 1));
        let last = TokenBuckets::<usize>::CAPACITY - 1;
        for key in 0..last {
            assert_eq!(buckets.take(&key, NOW), Decision::Allowed);
        }
        let later = NOW + SECOND;
        assert_eq!(buckets.take(&last, later), Decision::Allowed);
        assert_eq!(buckets.take(&0, later), Decision::Allowed);
        assert_eq!(buckets.buckets.len(), 2);
        assert_eq!(buckets.take(&last, later), limited(SECOND));
    }

    #[test]
    fn memory_is_bounded() {
        let mut buckets = TokenBuckets::new(Rate::new(1, SECOND, 1));
        let capacity = TokenBuckets::<usize>::CAPACITY;
        assert!((0..capacity + 10).all(|key| buckets.take(&key, NOW) == Decision::Allowed));
        assert_eq!(buckets.buckets.len(), capacity);
        assert_eq!(buckets.take(&0, NOW), limited(SECOND));
    }

    #[test]
    fn pacer_spaces_out_what_exceeds_the_burst() {
        let pacer = Pacer::new(Rate::new(1_500, SECOND, 2));
        let delays = [(); 5].map(|()| pacer.delay(NOW).as_micros());
        assert_eq!(delays, [0, 0, 666, 1_333, 1_999]);
        // Whoever comes later waits behind those before.
        assert_eq!(pacer.delay(NOW + Duration::from_millis(2)).as_micros(), 666);
    }
}
