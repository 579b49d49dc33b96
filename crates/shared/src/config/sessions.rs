//! The record of sessions.

use std::time::Duration;

use super::environment::{ConfigError, parsed};

/// The record of sessions.
#[derive(Debug, Clone, Copy)]
pub struct SessionConfig {
    /// `SESSION_AUDIT_DAYS`: how long the record of a connection is kept.
    pub audit: Duration,
}

impl SessionConfig {
    pub fn read() -> Result<Self, ConfigError> {
        let days: u64 = parsed("SESSION_AUDIT_DAYS")?;
        Ok(Self { audit: Duration::from_secs(24 * 60 * 60 * days) })
    }
}
