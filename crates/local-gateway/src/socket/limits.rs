//! API Gateway's limits for WebSocket APIs.

use std::time::Duration;

/// The limits of a connection. The defaults are those of AWS, except for the gateway's own timeouts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A connection without a message in either direction for this long is closed with 1001.
    pub idle: Duration,
    /// A connection that is this old is closed with 1001.
    pub longest: Duration,
    /// The largest message in bytes, of a client as of a push. A larger one of the client closes the connection with
    /// 1009.
    pub message_bytes: usize,
    /// The largest frame of a client in bytes; a larger one closes the connection with 1009.
    pub frame_bytes: usize,
    /// How many bytes are queued for a client that reads slowly; further pushes get 429. AWS does not publish its
    /// limit.
    pub waiting_bytes: usize,
    /// How long closing a connection may take: the queued frames, the close frame, and the client's close frame.
    pub close_timeout: Duration,
    /// How long closing all connections may take when the gateway stops, including `$disconnect`.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle: Duration::from_secs(10 * 60),
            longest: Duration::from_secs(2 * 60 * 60),
            message_bytes: 128 * 1024,
            frame_bytes: 32 * 1024,
            waiting_bytes: 1024 * 1024,
            close_timeout: Duration::from_secs(2),
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}
