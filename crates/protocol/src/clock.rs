//! Time as a parameter, so that tests can move it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A time in milliseconds since the Unix epoch, as on the wire and in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch, the unit of tokens and of DynamoDB's TTL.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The month in UTC, such as `2026-11`.
    pub fn month(self) -> String {
        let seconds = i64::try_from(self.seconds()).unwrap_or(i64::MAX);
        let date = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        format!("{:04}-{:02}", date.year(), u8::from(date.month()))
    }

    /// The time since `earlier`; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// A source of the current time.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A clock that stands still, for tests.
    Fixed(Timestamp),
    /// A clock that a test moves with [`Clock::advance`], together with its copies.
    Manual(&'static AtomicU64),
}

impl Clock {
    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
            }
            Self::Fixed(moment) => *moment,
            Self::Manual(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }

    /// A clock for tests that stands at `moment` until it is advanced. It is leaked so that clocks can be `Copy`.
    pub fn manual(moment: Timestamp) -> Self {
        Self::Manual(Box::leak(Box::new(moment.0.into())))
    }

    /// Advances a manual clock; has no effect on other clocks.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(millis) = self {
            millis.store((self.now() + by).0, Ordering::SeqCst);
        }
    }
}
