//! How often one person may do something.

use std::time::Duration;

use super::environment::{ConfigError, parsed};

/// How fast a token bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Time until one token is back; `None`: there is no limit.
    pub interval: Option<Duration>,
    /// Tokens in a full bucket.
    pub burst: u32,
}

impl Rate {
    /// `count` per `time` in the long run (0: no limit), and `burst` at once, at least one.
    pub fn new(count: u32, time: Duration, burst: u32) -> Self {
        Self { interval: time.checked_div(count), burst: burst.max(1) }
    }

    /// A part of this rate, for what costs as many times more.
    pub fn divided_by(self, times: u32) -> Self {
        let interval = self.interval.map(|interval| interval.saturating_mul(times));
        Self { interval, burst: (self.burst / times).max(1) }
    }
}

/// How many connections a person may hold and make.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// `MAX_CONNECTIONS`: at the same time.
    pub max_connections: usize,
    /// `CONNECTS_PER_MINUTE`: within a minute, and at once after a pause.
    pub rate: Rate,
}

impl ConnectionLimits {
    pub fn read() -> Result<Self, ConfigError> {
        let per_minute = parsed("CONNECTS_PER_MINUTE")?;
        Ok(Self {
            max_connections: parsed("MAX_CONNECTIONS")?,
            rate: Rate::new(per_minute, Duration::from_secs(60), per_minute),
        })
    }
}

/// `COSTLY_PER_MINUTE` and `COSTLY_BURST`: how often a person may do each limited action.
pub fn limited_action_rate() -> Result<Rate, ConfigError> {
    Ok(Rate::new(parsed("COSTLY_PER_MINUTE")?, Duration::from_secs(60), parsed("COSTLY_BURST")?))
}

/// `REQUESTS_PER_MINUTE`: how often each process of a function answers one person, and as often at once; 0: no limit.
pub fn request_rate() -> Result<Rate, ConfigError> {
    let per_minute = parsed("REQUESTS_PER_MINUTE")?;
    Ok(Rate::new(per_minute, Duration::from_secs(60), per_minute))
}

/// `PUSHES_PER_SECOND`: how fast one process of fan-out pushes; 0: no limit. A tenth of a second's pushes go at once.
pub fn push_rate() -> Result<Rate, ConfigError> {
    let per_second: u32 = parsed("PUSHES_PER_SECOND")?;
    Ok(Rate::new(per_second, Duration::from_secs(1), per_second / 10))
}

/// How fast one person may send messages to a room.
#[derive(Debug, Clone, Copy)]
pub struct FloodLimits {
    /// `SEND_WINDOW_MS`: eight messages in a row within this time are too fast; 0 turns the check off.
    pub window: Duration,
    /// `MUTE_SECONDS`: how long a person is muted in a room after repeating the same text; 0: only that text is
    /// refused.
    pub mute: Duration,
}

impl FloodLimits {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            window: Duration::from_millis(parsed("SEND_WINDOW_MS")?),
            mute: Duration::from_secs(parsed("MUTE_SECONDS")?),
        })
    }
}
