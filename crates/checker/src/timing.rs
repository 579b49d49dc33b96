//! The clients' timeouts and intervals. The protocol's figures are for people; a run scales them down and keeps their
//! order: a push arrives before a gap is repaired, and a gap is repaired before the next heartbeat.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTiming {
    /// How long a request waits for its answer before it is retried. Doubles with each retry, up to eight times this.
    pub reply_timeout: Duration,
    /// How old a gap becomes before it is repaired (two seconds in the protocol); up to half as much is added.
    pub gap_timeout: Duration,
    /// Between two heartbeats (5 to 9 minutes in the protocol), in milliseconds.
    pub heartbeat_ms: RangeInclusive<u64>,
    /// The longest backoff before reconnecting. The backoff starts at a twentieth of it and doubles with each failure,
    /// with full jitter.
    pub max_backoff: Duration,
    /// The longest pause between two messages of one client.
    pub max_pause: Duration,
}

impl Default for ClientTiming {
    fn default() -> Self {
        Self {
            reply_timeout: Duration::from_millis(1500),
            gap_timeout: Duration::from_millis(400),
            heartbeat_ms: 3_000..=5_000,
            max_backoff: Duration::from_secs(1),
            max_pause: Duration::from_millis(20),
        }
    }
}

impl ClientTiming {
    /// When a request that was made `attempts` times is retried.
    pub(crate) fn retry_after(&self, attempts: u32, rng: &mut StdRng) -> Duration {
        with_jitter(self.reply_timeout * (1 << attempts.saturating_sub(1).min(3)), rng)
    }

    pub(crate) fn repair_after(&self, rng: &mut StdRng) -> Duration {
        with_jitter(self.gap_timeout, rng)
    }

    pub(crate) fn heartbeat_after(&self, rng: &mut StdRng) -> Duration {
        Duration::from_millis(rng.random_range(self.heartbeat_ms.clone()))
    }

    pub(crate) fn reconnect_after(&self, failures: u32, rng: &mut StdRng) -> Duration {
        let backoff = (self.max_backoff / 20 * (1 << failures.min(5))).min(self.max_backoff);
        backoff.mul_f64(rng.random())
    }

    pub(crate) fn next_message_after(&self, rng: &mut StdRng) -> Duration {
        self.max_pause.mul_f64(rng.random())
    }
}

/// Adds up to a half, so that clients do not act in lockstep.
fn with_jitter(time: Duration, rng: &mut StdRng) -> Duration {
    time + (time / 2).mul_f64(rng.random())
}
