//! How long readers wait.

use std::time::Duration;

/// The waits of stream readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between a write and reading it. Lambda polls every 250 ms; here the default is zero.
    pub poll: Duration,
    /// Before the first retry of a failed batch; each further wait is twice as long.
    pub first_retry: Duration,
    /// The longest wait before a retry.
    pub longest_retry: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing { poll: Duration::ZERO, first_retry: Duration::from_millis(100), longest_retry: Duration::from_secs(10) }
    }
}
