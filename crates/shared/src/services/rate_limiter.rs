//! Per-person limits. What is expensive has one token bucket for each person and kind of action in the `guards` table,
//! because processes share no memory. A request that only reads costs less than such a bucket's write: it is counted in
//! the memory of the process that answers it.

mod token_buckets;

use std::cell::RefCell;

use protocol::clock::{Clock, Timestamp};
use protocol::ids::UserId;
use protocol::wire::Refusal;

use crate::adapters::dynamodb::{Decision, RateLimits, TableError};
use crate::aws::Aws;
use crate::config::{ConfigError, Rate, TranslationLimits, limited_action_rate, request_rate};
use crate::error::Error;
use crate::runtime::{Caller, Route};
pub use token_buckets::{Pacer, TokenBuckets};

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
    /// Reading another language: the latest messages of the person's rooms are translated again.
    Language,
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

    /// How many times more a change of language costs than a change of another kind.
    const LANGUAGE_COST: u32 = 10;

    /// Takes one token of the person's bucket; refuses the action while it is empty. Per person, never per hospital.
    pub async fn take(&self, user: &UserId, action: LimitedAction) -> Result<(), Error> {
        let (bucket, rate) = match action {
            LimitedAction::Room => ("room", self.rate),
            LimitedAction::Translation => ("translation", self.rate),
            LimitedAction::Search => ("search", self.rate),
            LimitedAction::Change => ("change", self.rate),
            LimitedAction::Language => ("language", self.rate.divided_by(Self::LANGUAGE_COST)),
        };
        match self.limits.take(user, bucket, 1, rate, self.clock.now()).await? {
            Decision::Allowed => Ok(()),
            Decision::Limited { retry_after } => {
                Err(Refusal::rate_limited("too many requests of this kind; try again later", retry_after).into())
            }
        }
    }
}

/// Limits the characters that are translated for each person, so that one person cannot use up a hospital's month.
#[derive(Debug, Clone)]
pub struct TranslationAllowance {
    limits: RateLimits,
    rate: Rate,
}

impl TranslationAllowance {
    pub fn open(aws: &Aws, limits: &TranslationLimits) -> Result<Self, ConfigError> {
        Ok(Self { limits: RateLimits::open(aws)?, rate: limits.person })
    }

    /// Takes this many characters of the person's bucket, or none if it does not hold as many.
    pub async fn take(&self, person: &UserId, characters: u64, now: Timestamp) -> Result<Decision, TableError> {
        self.limits.take(person, "characters", characters, self.rate, now).await
    }
}

/// A route that refuses a person who calls it too often. Each process of its function counts for itself: where Lambda
/// runs `k` of them, a person who keeps all of them busy gets `k` times the rate.
#[derive(Debug)]
pub struct Limited<R> {
    route: R,
    buckets: RefCell<TokenBuckets<UserId>>,
    clock: Clock,
}

impl<R> Limited<R> {
    pub fn new(route: R) -> Result<Self, ConfigError> {
        Ok(Self { route, buckets: RefCell::new(TokenBuckets::new(request_rate()?)), clock: Clock::System })
    }
}

impl<R: Route> Route for Limited<R> {
    type Request = R::Request;
    type Reply = R::Reply;

    async fn handle(&self, caller: &Caller, request: R::Request) -> Result<R::Reply, Error> {
        let decision = self.buckets.borrow_mut().take(caller.user_id(), self.clock.now());
        match decision {
            Decision::Allowed => self.route.handle(caller, request).await,
            Decision::Limited { retry_after } => {
                Err(Refusal::rate_limited("too many requests; try again later", retry_after).into())
            }
        }
    }
}
