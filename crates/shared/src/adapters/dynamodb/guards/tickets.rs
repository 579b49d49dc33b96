//! Single-use tickets, stored by their digest.

use aws_sdk_dynamodb::types::ReturnValue;
use protocol::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::{Table, TableError};
use super::{GRACE_SECONDS, guard_key};
use crate::adapters::auth::Identity;
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TicketRow {
    guard_key: String,
    identity: Identity,
    until: Timestamp,
    expires_at: u64,
}

/// A ticket admits its first bearer as the person who created it.
#[derive(Debug, Clone)]
pub struct Tickets {
    table: Table,
}

impl Tickets {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Guards)? })
    }

    pub async fn put(&self, digest: &str, identity: &Identity, until: Timestamp) -> Result<(), TableError> {
        let row = TicketRow {
            guard_key: format!("ticket:{digest}"),
            identity: identity.clone(),
            until,
            expires_at: until.seconds() + GRACE_SECONDS,
        };
        self.table.put(&row).await
    }

    /// Deletes the ticket and returns its identity; `None` if the ticket is unknown, used or expired.
    pub async fn redeem(&self, digest: &str, now: Timestamp) -> Result<Option<Identity>, TableError> {
        let call = self.table.client.delete_item().table_name(&self.table.name);
        let call = call.set_key(Some(guard_key("ticket", digest))).return_values(ReturnValue::AllOld);
        let answer = call.send().await.map_err(self.table.call("DeleteItem"))?;
        let Some(item) = answer.attributes.filter(|item| !item.is_empty()) else { return Ok(None) };
        let row: TicketRow = self.table.row(item)?;
        Ok(Some(row).filter(|row| now < row.until).map(|row| row.identity))
    }
}
