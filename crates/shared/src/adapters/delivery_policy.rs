//! How long pushing may take: every timeout and limit of delivery, in one place.
//!
//! A push within a region is answered in 10 ms at p50 and 40 ms at p99 (`crates/measure/latencies.json`). Whatever is
//! allowed beyond that is for the TLS handshakes of many concurrent pushes, for which a small function has only a share
//! of a vCPU.

use std::time::Duration;

/// The limits of delivery.
#[derive(Debug)]
pub struct DeliveryPolicy;

impl DeliveryPolicy {
    /// Concurrent pushes of one function.
    pub const MAX_CONCURRENCY: usize = 64;

    // ------------------------------------------------------------------------------ one push, by the stream or a route

    /// A push, its retries included, is dropped after this time.
    pub const PUSH_TIMEOUT: Duration = Duration::from_secs(1);
    /// The same where a TLS handshake may come first.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
    /// A TLS connection to AWS is surely open for this time after an answer: the HTTP client keeps an idle one for 90
    /// s.
    pub const CONNECTION_REUSE: Duration = Duration::from_secs(60);
    /// Attempts of one push. The SDK retries 429 and 5xx, never an attempt that timed out.
    pub const MAX_ATTEMPTS: u32 = 3;
    /// Base of the jittered, exponential backoff between attempts.
    pub const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

    // -------------------------------------------------------------------------- one batch of the stream, see `fan-out`

    /// Dropped pushes after which the rest of a batch gets [`Self::SHORT_TIMEOUT`]: a batch serves eight rooms
    /// concurrently, so one unresponsive connection in each of them costs a second.
    pub const FULL_TIMEOUTS: usize = 8;
    /// Dropped pushes after which nothing more of a batch is pushed: all in one room, they cost one more second.
    pub const MAX_TIMEOUTS: usize = 1_000;
    /// For connections of which little is expected.
    pub const SHORT_TIMEOUT: Duration = Duration::from_millis(50);
    /// How long a connection that did not answer gets only [`Self::SHORT_TIMEOUT`].
    pub const UNRESPONSIVE_FOR: Duration = Duration::from_secs(60);
    /// A push can overtake the `$connect` of its connection; until this age a 410 may mean "not yet".
    pub const YOUNG_CONNECTION: Duration = Duration::from_secs(60);

    // ---------------------------------------------------------------------------- the express lane, see `send-message`

    /// A direct push gets a single attempt, because the stream follows.
    pub const SINGLE_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(500);
    /// How long to wait for the audience once the message is stored. In a group its lookup takes two round trips, as
    /// storing does.
    pub const EXPRESS_LOOKUP: Duration = Duration::from_millis(50);
    /// How long to wait for the direct pushes of one message, all together. Connections that took it by then are marked
    /// before the stream brings the message to fan-out, some 0.2 s later; the others are left to the stream.
    pub const EXPRESS_PUSHES: Duration = Duration::from_millis(80);
    /// Limit for writing the mark. The sender's reply waits for it.
    pub const EXPRESS_MARK: Duration = Duration::from_millis(250);
    /// Age of a message before fan-out reads its mark. On AWS the stream nearly always takes longer, so nothing is
    /// waited for.
    pub const EXPRESS_HEAD_START: Duration = Duration::from_millis(100);

    // --------------------------------------------------------------------------------------------- closing connections

    /// A younger connection may be unknown to API Gateway while its handshake goes on: longer than an integration may
    /// take.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    pub const HANDSHAKE_MAY_LAST: Duration = Duration::from_secs(30);
    /// Pauses between attempts to close a connection whose handshake goes on: some four seconds in all.
    pub const CLOSE_RETRIES: [Duration; 4] =
        [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
}
