//! How fast a person may ask for what costs something: a bucket each, which fills again by itself.

use crate::adapters::dynamodb::{Guards, Rate, TableError};
use crate::error::Error;
use crate::runtime::Caller;
use protocol::clock::{Clock, Timestamp};
use protocol::ids::UserId;
use protocol::wire::Refusal;

/// Something that costs more than reading a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedAction {
    /// A new room: a dozen rows.
    Room,
    /// A new translation: DeepL's characters.
    Translation,
    /// A search: up to a megabyte read.
    Search,
    /// A change that a room's log records for good and everybody there is told: its status, its translation, a correction.
    Change,
}

/// The rate_limiter of all people.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    /// Where they are kept: what one process counts, another does not know.
    pub guards: Guards,
    /// How fast they fill, and how much they hold.
    pub rate: Rate,
    /// The time.
    pub clock: Clock,
}

impl RateLimiter {
    /// Takes one from the caller's bucket; refused while it is empty. Per person, never per hospital.
    pub async fn take(&self, caller: &Caller, what: LimitedAction) -> Result<(), Error> {
        let name = match what {
            LimitedAction::Room => "room",
            LimitedAction::Translation => "translation",
            LimitedAction::Search => "search",
            LimitedAction::Change => "change",
        };
        match self.guards.take(caller.user_id(), name, 1, self.rate, self.clock.now()).await? {
            Ok(()) => Ok(()),
            Err(wait) => Err(Refusal::rate_limited("you are asking for this too often", wait).into()),
        }
    }
}

/// How many characters of each person are translated without anybody asking for it: one person's flood is not to use up what a
/// whole hospital has for a month.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// Where it is kept.
    pub guards: Guards,
    /// How fast it comes back, and how much it is.
    pub rate: Rate,
}

impl Allowance {
    /// Takes so many characters from a writer's bucket: `false` where it has not as many.
    pub async fn take(&self, writer: &UserId, characters: u64, now: Timestamp) -> Result<bool, TableError> {
        Ok(self.guards.take(writer, "characters", characters, self.rate, now).await?.is_ok())
    }
}
