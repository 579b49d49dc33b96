//! Values that are accepted once, such as a proxy's signature.

use protocol::clock::Timestamp;

use super::super::{Table, TableError, applied, number};
use super::{GRACE_SECONDS, guard_key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};

#[derive(Debug, Clone)]
pub struct Nonces {
    table: Table,
}

impl Nonces {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Guards)? })
    }

    /// Marks a nonce as used until it is no longer valid; `false` if it was used before.
    pub async fn claim(&self, nonce: &str, until: Timestamp) -> Result<bool, TableError> {
        let mut row = guard_key("used", nonce);
        row.insert("expires_at".to_owned(), number(until.seconds() + GRACE_SECONDS));
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(row));
        let put = put.condition_expression("attribute_not_exists(guard_key)");
        applied(&self.table, "PutItem", async || put.clone().send().await).await
    }
}
