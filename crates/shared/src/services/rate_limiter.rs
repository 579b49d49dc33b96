//! Per-person limits: one token bucket for each person and kind of action, kept in the `guards` table because processes
//! share no memory.

use protocol::clock::{Clock, Timestamp};
use protocol::ids::UserId;
use protocol::wire::Refusal;

use crate::adapters::dynamodb::{Decision, RateLimits, TableError};
use crate::aws::Aws;
use crate::config::{AutoTranslationConfig, ConfigError, Rate, limited_action_rate};
use crate::error::Error;

/// An action that costs more than reading a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedAction {
    /// Creating a room: a dozen rows.
    Room,
    /// Requesting a translation: DeepL's characters.
    Translation,
    /// Searching: up to a megabyte read.
    Search,
    /// A change that the log records for good and every member is told of: status, translation setting, correction.
    Change,
}

/// Limits each [`LimitedAction`] per person.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    limits: RateLimits,
    rate: Rate,
    clock: Clock,
}

impl RateLimiter {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { limits: RateLimits::open(aws)?, rate: limited_action_rate()?, clock: Clock::System })
    }

    /// Takes one token of the person's bucket; refuses the action while it is empty. Per person, never per hospital.
    pub async fn take(&self, user: &UserId, action: LimitedAction) -> Result<(), Error> {
        let bucket = match action {
            LimitedAction::Room => "room",
            LimitedAction::Translation => "translation",
            LimitedAction::Search => "search",
            LimitedAction::Change => "change",
        };
        match self.limits.take(user, bucket, 1, self.rate, self.clock.now()).await? {
            Decision::Allowed => Ok(()),
            Decision::Limited { retry_after } => {
                Err(Refusal::rate_limited("too many requests of this kind; try again later", retry_after).into())
            }
        }
    }
}

/// Limits the characters that are translated automatically for each person, so that one person cannot use up a
/// hospital's month.
#[derive(Debug, Clone)]
pub struct TranslationAllowance {
    limits: RateLimits,
    rate: Rate,
}

impl TranslationAllowance {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { limits: RateLimits::open(aws)?, rate: AutoTranslationConfig::read()?.characters })
    }

    /// Takes this many characters of the writer's bucket; `false` if it does not hold as many.
    pub async fn take(&self, writer: &UserId, characters: u64, now: Timestamp) -> Result<bool, TableError> {
        Ok(self.limits.take(writer, "characters", characters, self.rate, now).await? == Decision::Allowed)
    }
}
