//! One token bucket for each person and purpose, kept here because the functions' processes share no memory.

use std::time::Duration;

use protocol::clock::Timestamp;
use protocol::ids::UserId;

use super::super::{Table, TableError, number};
use super::{GRACE_SECONDS, guard_key};
use crate::aws::Aws;
use crate::config::{ConfigError, Rate, TableName};

/// Whether a bucket held enough tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The tokens were taken.
    Allowed,
    /// Nothing was taken.
    Limited {
        /// How long the requested tokens take to refill.
        retry_after: Duration,
    },
}

#[derive(Debug, Clone)]
pub struct RateLimits {
    table: Table,
}

impl RateLimits {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Guards)? })
    }

    /// Takes `count` tokens from a person's bucket, or none.
    ///
    /// The bucket is stored as a single time, when it will be full again (GCRA, ITU-T I.371). A request within the
    /// limit of an idle person therefore costs one conditional write, and a refused one costs two.
    pub async fn take(
        &self,
        user: &UserId,
        bucket: &str,
        count: u64,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Decision, TableError> {
        let Rate { interval: Some(interval), burst } = rate else { return Ok(Decision::Allowed) };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let refill = interval * count;
        let limited = Decision::Limited { retry_after: refill };
        // Even a full bucket does not hold this many.
        let Some(rest) = burst.checked_sub(count) else { return Ok(limited) };
        let latest = now + interval * rest;
        let expires = number((now + interval * burst).seconds() + GRACE_SECONDS);
        let update = || {
            let call = self.table.client.update_item().table_name(&self.table.name);
            call.set_key(Some(guard_key(&format!("pace:{bucket}"), user.as_str())))
                .expression_attribute_names("#full", "full_at")
        };
        let take_from_full = update()
            .update_expression("SET #full = :next, expires_at = :expires")
            .condition_expression("attribute_not_exists(#full) OR #full <= :now")
            .expression_attribute_values(":next", number((now + refill).millis()))
            .expression_attribute_values(":expires", expires.clone())
            .expression_attribute_values(":now", number(now.millis()));
        if self.table.update(take_from_full).await? {
            return Ok(Decision::Allowed);
        }
        let take_from_partial = update()
            .update_expression("SET #full = #full + :taken, expires_at = :expires")
            .condition_expression("#full <= :most")
            .expression_attribute_values(":taken", number(refill.as_millis()))
            .expression_attribute_values(":expires", expires)
            .expression_attribute_values(":most", number(latest.millis()));
        Ok(if self.table.update(take_from_partial).await? { Decision::Allowed } else { limited })
    }
}
