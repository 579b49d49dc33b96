//! Counts the frames and bytes of all clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// API Gateway meters messages in units of this size: <https://aws.amazon.com/api-gateway/pricing/>.
const METERED_BYTES: usize = 32 * 1024;

/// The traffic of all clients that share this counter. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    metered: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    pushed: AtomicU64,
}

/// The traffic up to one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrafficTotals {
    /// Messages as API Gateway meters them: each frame in either direction counts once per 32 KB or part of that.
    pub metered: u64,
    /// Bytes sent by clients.
    pub bytes_in: u64,
    /// Bytes sent to clients.
    pub bytes_out: u64,
    /// Frames that are no replies.
    pub pushed: u64,
}

impl Traffic {
    #[must_use]
    pub fn totals(&self) -> TrafficTotals {
        let Counters { metered, bytes_in, bytes_out, pushed } = &*self.0;
        TrafficTotals {
            metered: metered.load(Ordering::Relaxed),
            bytes_in: bytes_in.load(Ordering::Relaxed),
            bytes_out: bytes_out.load(Ordering::Relaxed),
            pushed: pushed.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        self.count(bytes, &self.0.bytes_in);
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        self.count(bytes, &self.0.bytes_out);
    }

    pub(crate) fn count_push(&self) {
        self.0.pushed.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, bytes: usize, counter: &AtomicU64) {
        let messages = bytes.div_ceil(METERED_BYTES);
        self.0.metered.fetch_add(u64::try_from(messages).unwrap_or(u64::MAX), Ordering::Relaxed);
        counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
