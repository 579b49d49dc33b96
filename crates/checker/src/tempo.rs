//! How a client times itself. PROTOCOL's figures are for people; a run scales them down and keeps their order: a push comes
//! before a gap is asked for, a gap before a heartbeat.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// A client's times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tempo {
    /// How long an answer may take before the request is repeated; twice as long after each repetition, up to eight times.
    pub patience: Duration,
    /// How old a gap becomes before it is asked for (the protocol: two seconds), and the jitter upon it.
    pub gap: Duration,
    /// Between two heartbeats (the protocol: 5 to 9 minutes), in milliseconds.
    pub heartbeat_ms: RangeInclusive<u64>,
    /// The longest wait before reconnecting: doubles from a twentieth of it with each failure, with full jitter.
    pub reconnect: Duration,
    /// The longest pause between two messages of one client; drawn anew each time.
    pub pause: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            patience: Duration::from_millis(1500),
            gap: Duration::from_millis(400),
            heartbeat_ms: 3_000..=5_000,
            reconnect: Duration::from_secs(1),
            pause: Duration::from_millis(20),
        }
    }
}

impl Tempo {
    /// When a request that was made so often is repeated: with up to half as much again, so that no two clients beat time.
    pub(crate) fn repeat_after(&self, attempts: u32, rng: &mut StdRng) -> Duration {
        jittered(self.patience * (1 << attempts.saturating_sub(1).min(3)), rng)
    }

    /// How old a gap becomes.
    pub(crate) fn ask_after(&self, rng: &mut StdRng) -> Duration {
        jittered(self.gap, rng)
    }

    /// Until the next heartbeat.
    pub(crate) fn next_heartbeat(&self, rng: &mut StdRng) -> Duration {
        Duration::from_millis(rng.random_range(self.heartbeat_ms.clone()))
    }

    /// Before trying to connect again after so many failures.
    pub(crate) fn reconnect_after(&self, failures: u32, rng: &mut StdRng) -> Duration {
        let most = (self.reconnect / 20 * (1 << failures.min(5))).min(self.reconnect);
        most.mul_f64(rng.random())
    }

    /// Before the next message.
    pub(crate) fn next_message(&self, rng: &mut StdRng) -> Duration {
        self.pause.mul_f64(rng.random())
    }
}

fn jittered(time: Duration, rng: &mut StdRng) -> Duration {
    time + (time / 2).mul_f64(rng.random())
}
