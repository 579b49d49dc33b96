//! The `guards` table: what can be used only once, and how fast somebody may do what costs something. All of it expires by itself.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use serde::{Deserialize, Serialize};

use super::{Item, Table, TableError, applied, key, number};
use crate::adapters::auth::Identity;
use crate::aws::Aws;
use crate::config::{ConfigError, Rate, TableName};
use protocol::clock::Timestamp;
use protocol::ids::UserId;

/// A ticket: whoever shows it first is let in as who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TicketRow {
    guard_key: String,
    identity: Identity,
    until: Timestamp,
    expires_at: u64,
}

/// The door to the `guards` table.
#[derive(Debug, Clone)]
pub struct Guards {
    table: Table,
}

impl Guards {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Guards)? })
    }

    fn key(kind: &str, name: &str) -> Item {
        key([("guard_key", format!("{kind}:{name}"))])
    }

    /// Keeps a ticket, by its digest.
    pub async fn put_ticket(&self, digest: &str, identity: &Identity, until: Timestamp) -> Result<(), TableError> {
        let row = TicketRow {
            guard_key: format!("ticket:{digest}"),
            identity: identity.clone(),
            until,
            expires_at: until.seconds() + 60,
        };
        self.table.put(&row).await
    }

    /// Spends a ticket: whose it was, if it was there and still good.
    pub async fn spend_ticket(&self, digest: &str, now: Timestamp) -> Result<Option<Identity>, TableError> {
        let call = self.table.client.delete_item().table_name(&self.table.name);
        let call = call.set_key(Some(Self::key("ticket", digest))).return_values(ReturnValue::AllOld);
        let answer = call.send().await.map_err(self.table.call("DeleteItem"))?;
        let Some(item) = answer.attributes.filter(|item| !item.is_empty()) else { return Ok(None) };
        let row: TicketRow = self.table.row(item)?;
        Ok(Some(row).filter(|row| now < row.until).map(|row| row.identity))
    }

    /// Notes that something was used that can be used once: `false` if it had been before.
    pub async fn use_once(&self, name: &str, until: Timestamp) -> Result<bool, TableError> {
        let mut row = Self::key("used", name);
        row.insert("expires_at".to_owned(), number(until.seconds() + 60));
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(row));
        let put = put.condition_expression("attribute_not_exists(guard_key)");
        applied(&self.table, "PutItem", async || put.clone().send().await).await
    }

    /// Takes `count` from a person's bucket for `what`, or none: `Err` says how long they take to come back. The bucket is a single time (GCRA,
    /// ITU-T I.371): when it will be full again. So an idle person costs one conditional write, and a refused one two and no more.
    pub async fn take(
        &self,
        user: &UserId,
        what: &str,
        count: u64,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, TableError> {
        let Rate { interval: Some(interval), burst } = rate else { return Ok(Ok(())) };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let taken = interval * count;
        // A full bucket has not as many.
        let Some(rest) = burst.checked_sub(count) else { return Ok(Err(taken)) };
        let most = now + interval * rest;
        let expires = number((now + interval * burst).seconds() + 60);
        let bucket = || {
            let call = self.table.client.update_item().table_name(&self.table.name);
            call.set_key(Some(Self::key(&format!("pace:{what}"), user.as_str())))
                .expression_attribute_names("#full", "full_at")
        };
        let idle = bucket()
            .update_expression("SET #full = :next, expires_at = :expires")
            .condition_expression("attribute_not_exists(#full) OR #full <= :now")
            .expression_attribute_values(":next", number((now + taken).millis()))
            .expression_attribute_values(":expires", expires.clone())
            .expression_attribute_values(":now", number(now.millis()));
        if self.table.update(idle).await? {
            return Ok(Ok(()));
        }
        let busy = bucket()
            .update_expression("SET #full = #full + :taken, expires_at = :expires")
            .condition_expression("#full <= :most")
            .expression_attribute_values(":taken", number(taken.as_millis()))
            .expression_attribute_values(":expires", expires)
            .expression_attribute_values(":most", number(most.millis()));
        Ok(if self.table.update(busy).await? { Ok(()) } else { Err(taken) })
    }
}
