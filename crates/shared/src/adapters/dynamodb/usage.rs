//! The `usage` table: each hospital's translation usage per month, that of the whole stack per day, and the pause of
//! automatic translation once DeepL's quota is used up.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use serde::Deserialize;

use super::{Item, Table, TableError, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::clock::Timestamp;
use protocol::ids::{HospitalId, RoomId};

/// The account that translations are counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BillingAccount {
    /// The hospital of a consult.
    Hospital(HospitalId),
    /// The operator of the stack, for rooms without a hospital.
    Account,
}

impl BillingAccount {
    pub fn of(room: &RoomId) -> Self {
        room.hospital().map_or(Self::Account, |hospital| Self::Hospital(hospital.clone()))
    }
}

impl fmt::Display for BillingAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hospital(hospital) => write!(f, "hospital:{hospital}"),
            Self::Account => f.write_str("account"),
        }
    }
}

/// One month's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UsageTotals {
    /// Characters that DeepL billed.
    pub billed_characters: u64,
    /// Characters that DeepL would have billed without the cache.
    pub saved_characters: u64,
    /// Translations by DeepL.
    pub translations: u64,
    /// Translations found in the cache, including people's corrections.
    pub cache_hits: u64,
    pub failures: u64,
}

/// An account's usage so far, the stack's, and whether DeepL's quota is used up.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuotaStatus {
    /// This month's.
    pub totals: UsageTotals,
    /// Characters that were billed today, for all accounts together.
    pub stack_characters: u64,
    /// Automatic translation is paused until then because the characters of the whole DeepL account are used up.
    pub paused_until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Pause {
    until: Timestamp,
}

#[derive(Deserialize)]
struct Day {
    billed_characters: u64,
}

#[derive(Debug, Clone)]
pub struct Usage {
    table: Table,
}

/// The key attribute that holds the billing account. Deployed tables have it under its first name, and a key attribute
/// cannot be renamed without replacing the table.
const ACCOUNT: &str = concat!("pay", "er");
/// The key (account and month) of the row that pauses automatic translation.
const PAUSE: (&str, &str) = ("deepl", "pause");
/// The account under which the characters of all accounts are counted by the day.
const STACK: &str = "stack";
/// Totals are kept for 400 days.
const RETENTION: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Usage {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Usage)? })
    }

    fn key(account: &BillingAccount, month: &str) -> Item {
        key([(ACCOUNT, account.to_string()), ("month", month.to_owned())])
    }

    fn pause_key() -> Item {
        key([(ACCOUNT, PAUSE.0.to_owned()), ("month", PAUSE.1.to_owned())])
    }

    /// The key of the row of one day (UTC), numbered since the epoch.
    fn day_key(now: Timestamp) -> Item {
        key([(ACCOUNT, STACK.to_owned()), ("month", format!("day-{}", now.seconds() / (24 * 60 * 60)))])
    }

    /// An account's totals of a month such as `2026-11`, eventually consistent.
    pub async fn month(&self, account: &BillingAccount, month: &str) -> Result<UsageTotals, TableError> {
        Ok(self.table.get_as(Self::key(account, month), false).await?.unwrap_or_default())
    }

    /// Eventually consistent: concurrent translations may exceed a budget slightly.
    pub async fn quota_status(&self, account: &BillingAccount, now: Timestamp) -> Result<QuotaStatus, TableError> {
        let keys = vec![Self::key(account, &now.month()), Self::day_key(now), Self::pause_key()];
        let mut quota = QuotaStatus::default();
        for row in self.table.batch_get_items(keys, false).await? {
            if row.contains_key("until") {
                let Pause { until } = self.table.row(row)?;
                quota.paused_until = Some(until).filter(|until| now < *until);
            } else if row.get(ACCOUNT).and_then(|account| account.as_s().ok()).is_some_and(|account| account == STACK) {
                quota.stack_characters = self.table.row::<Day>(row)?.billed_characters;
            } else {
                quota.totals = self.table.row(row)?;
            }
        }
        Ok(quota)
    }

    /// Adds to the current month's totals.
    pub async fn add(&self, account: &BillingAccount, totals: &UsageTotals, now: Timestamp) -> Result<(), TableError> {
        let counts = [
            ("billed_characters", totals.billed_characters),
            ("saved_characters", totals.saved_characters),
            ("translations", totals.translations),
            ("cache_hits", totals.cache_hits),
            ("failures", totals.failures),
        ];
        let counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        if counts.is_empty() {
            return Ok(());
        }
        let added: Vec<_> = counts.iter().map(|(name, _)| format!("{name} :{name}")).collect();
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(account, &now.month())))
            .update_expression(format!("ADD {} SET expires_at = :expires_at", added.join(", ")))
            .expression_attribute_values(":expires_at", number((now + RETENTION).seconds()));
        let call = counts
            .into_iter()
            .fold(call, |call, (name, count)| call.expression_attribute_values(format!(":{name}"), number(count)));
        self.table.update(call).await.map(|_| ())
    }

    /// Adds characters to the current day of the whole stack, and returns its new total.
    ///
    /// The row takes a write for every request that was billed. DynamoDB accepts 1,000 a second for one row: about a
    /// billion characters a day, at the length of a clinic's messages.
    pub async fn add_to_day(&self, characters: u64, now: Timestamp) -> Result<u64, TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::day_key(now)))
            .update_expression("ADD billed_characters :characters SET expires_at = :expires_at")
            .expression_attribute_values(":characters", number(characters))
            .expression_attribute_values(":expires_at", number((now + RETENTION).seconds()))
            .return_values(ReturnValue::UpdatedNew);
        let answer = call.send().await.map_err(self.table.call("UpdateItem"))?;
        Ok(self.table.row::<Day>(answer.attributes.unwrap_or_default())?.billed_characters)
    }

    /// Pauses automatic translation.
    pub async fn pause(&self, until: Timestamp) -> Result<(), TableError> {
        let mut row = Self::pause_key();
        row.insert("until".to_owned(), number(until.millis()));
        row.insert("expires_at".to_owned(), number(until.seconds()));
        self.table.put_item(row).await
    }
}
