//! The `guards` table: tickets, nonces and rate limits. Every row expires on its own; the key's prefix says what it
//! guards.

mod nonces;
mod rate_limits;
mod tickets;

pub use nonces::Nonces;
pub use rate_limits::{Decision, RateLimits};
pub use tickets::Tickets;

use super::{Item, key};

/// How long a row outlives its purpose, so that DynamoDB's TTL never deletes it early.
const GRACE_SECONDS: u64 = 60;

fn guard_key(kind: &str, name: &str) -> Item {
    key([("guard_key", format!("{kind}:{name}"))])
}
