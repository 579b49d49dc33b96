//! To whom messages are pushed, and by which way.

use super::environment::{ConfigError, parsed};

/// Who gets every message.
#[derive(Debug, Clone, Copy)]
pub struct AudienceConfig {
    /// `FULL_DELIVERY_LIMIT`: a participant with more connections than this gets each message of a room only on those
    /// that joined it.
    pub full_delivery_limit: usize,
}

impl AudienceConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self { full_delivery_limit: parsed("FULL_DELIVERY_LIMIT")? })
    }
}

/// The express lane.
#[derive(Debug, Clone, Copy)]
pub struct ExpressConfig {
    /// `EXPRESS_LIMIT`: the largest audience that `send-message` pushes to directly. The stream serves larger ones, and
    /// all of them at 0.
    pub limit: usize,
}

impl ExpressConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self { limit: parsed("EXPRESS_LIMIT")? })
    }
}
