//! API Gateway's limits for WebSocket APIs.

use std::time::Duration;

/// What a connection may do, and for how long. The defaults are AWS's; tests shorten the times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a connection may be without a message in either direction before it is closed with 1001.
    pub idle: Duration,
    /// How long a connection may last before it is closed with 1001.
    pub longest: Duration,
    /// The largest message in bytes, of the client's as of a push; a larger one of the client's closes with 1009.
    pub message_bytes: usize,
    /// The largest frame of the client's in bytes; a larger one closes with 1009.
    pub frame_bytes: usize,
    /// How many bytes may wait for a client that reads slowly; further pushes are refused with 429. AWS does not publish
    /// its own figure.
    pub waiting_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle: Duration::from_secs(10 * 60),
            longest: Duration::from_secs(2 * 60 * 60),
            message_bytes: 128 * 1024,
            frame_bytes: 32 * 1024,
            waiting_bytes: 1024 * 1024,
        }
    }
}
