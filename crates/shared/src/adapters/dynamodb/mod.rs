//! The door to DynamoDB: one file per table, rows by serde, key formats written once.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html> for the limits named here.

mod connections;
mod guards;
mod idempotency_records;
mod log;
mod members;
mod profiles;
mod rooms;
mod sessions;
mod translations;
mod usage;

pub use connections::{Connection, Connections, Joined};
pub use guards::Guards;
pub use idempotency_records::{IdempotencyRecord, IdempotencyRecords};
pub use log::{Appended, FailurePosition, Log};
pub use members::{ListPosition, Members};
pub use profiles::{Profile, Profiles};
pub use rooms::{GROUP_LIMIT, Head, Rooms};
pub use sessions::{Session, SessionStatus, Sessions};
pub use translations::{CachedTranslation, Translations};
pub use usage::{BillingAccount, QuotaStatus, Usage, UsageTotals};

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put};
use futures::{Stream, TryStreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aws::Aws;
use crate::config::{ConfigError, TableName};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A part of a transaction, made by the door of its table and run by [`Log::append`].
pub use aws_sdk_dynamodb::types::TransactWriteItem as Write;

/// DynamoDB could not be asked, refused, or gave back what is not one of our rows. Never holds what a row says.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A call failed, after the SDK's own retries.
    #[error("{operation} on {table} failed")]
    Call {
        /// The operation.
        operation: &'static str,
        /// The table.
        table: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A row does not read as what its table holds, or a value cannot be stored. Why is left out: serde would quote it.
    #[error("a row of {table} cannot be read or written as what the table holds")]
    Row {
        /// The table.
        table: String,
    },
    /// DynamoDB kept giving back a part of the keys unanswered.
    #[error("BatchGetItem on {table} left keys unanswered after several tries")]
    Unanswered {
        /// The table.
        table: String,
    },
}

crate::error::fails!(TableError);

/// Some of the rows under a partition key.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// One table: its client and its name.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub client: Client,
    pub name: String,
}

impl Table {
    pub fn open(aws: &Aws, name: TableName) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), name: name.read()? })
    }

    pub fn call<E>(&self, operation: &'static str) -> impl FnOnce(E) -> TableError
    where
        E: Error + Send + Sync + 'static,
    {
        let table = self.name.clone();
        move |source| TableError::Call { operation, table, source: Box::new(source) }
    }

    pub fn row<T: DeserializeOwned>(&self, item: Item) -> Result<T, TableError> {
        serde_dynamo::from_item(item).map_err(|_| TableError::Row { table: self.name.clone() })
    }

    pub fn rows<T: DeserializeOwned>(&self, items: Option<Vec<Item>>) -> Result<Vec<T>, TableError> {
        items.unwrap_or_default().into_iter().map(|item| self.row(item)).collect()
    }

    pub fn item(&self, row: &impl Serialize) -> Result<Item, TableError> {
        serde_dynamo::to_item(row).map_err(|_| TableError::Row { table: self.name.clone() })
    }

    pub fn value(&self, value: &impl Serialize) -> Result<AttributeValue, TableError> {
        serde_dynamo::to_attribute_value(value).map_err(|_| TableError::Row { table: self.name.clone() })
    }

    /// Reads one row by its key, strongly consistent.
    pub async fn get<T: DeserializeOwned>(&self, key: Item) -> Result<Option<T>, TableError> {
        self.get_as(key, true).await
    }

    /// Reads one row by its key.
    pub async fn get_as<T: DeserializeOwned>(&self, key: Item, consistent: bool) -> Result<Option<T>, TableError> {
        let call = self.client.get_item().table_name(&self.name).set_key(Some(key)).consistent_read(consistent);
        let answer = call.send().await.map_err(self.call("GetItem"))?;
        answer.item.map(|item| self.row(item)).transpose()
    }

    /// Writes one row, whatever stood there.
    pub async fn put(&self, row: &impl Serialize) -> Result<(), TableError> {
        self.put_item(self.item(row)?).await
    }

    /// Writes one row that is an item already.
    pub async fn put_item(&self, item: Item) -> Result<(), TableError> {
        let call = self.client.put_item().table_name(&self.name).set_item(Some(item));
        call.send().await.map_err(self.call("PutItem"))?;
        Ok(())
    }

    /// A part of a transaction that writes a new row, and fails where one with this key stands.
    pub fn insert(
        &self,
        row: &impl Serialize,
        key: &str,
    ) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder, TableError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(self.item(row)?));
        Ok(put.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", key))
    }

    /// Runs an update whose condition may not hold.
    pub async fn update(&self, update: UpdateItemFluentBuilder) -> Result<bool, TableError> {
        applied(self, "UpdateItem", async || update.clone().send().await).await
    }

    fn query(&self, attribute: &str, value: String, consistent: bool) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.name).consistent_read(consistent);
        query
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", AttributeValue::S(value))
    }

    /// The rows under a partition key, strongly consistent, page by page, so that no more than one is ever held.
    pub fn pages<T: DeserializeOwned>(
        &self,
        attribute: &str,
        value: String,
    ) -> impl Stream<Item = Result<Page<T>, TableError>> + use<'_, T> {
        const ROWS: i32 = 1_000;
        let query = self.query(attribute, value, true).limit(ROWS);
        stream::try_unfold(Some(query), async move |query| {
            let Some(query) = query else { return Ok(None) };
            let page = query.clone().send().await.map_err(self.call("Query"))?;
            let rows = self.rows(page.items)?;
            let start = page.last_evaluated_key.filter(|key| !key.is_empty());
            let more = start.is_some();
            let next = start.map(|start| query.set_exclusive_start_key(Some(start)));
            Ok(Some((Page { rows, more }, next)))
        })
    }

    /// Every row under a partition key, strongly consistent, every page of it.
    pub async fn query_all<T: DeserializeOwned>(&self, attribute: &str, value: String) -> Result<Vec<T>, TableError> {
        self.pages(attribute, value).map_ok(|page| page.rows).try_concat().await
    }

    /// The first rows under a partition key.
    pub async fn query_first<T: DeserializeOwned>(
        &self,
        attribute: &str,
        value: String,
        count: i32,
        consistent: bool,
    ) -> Result<Vec<T>, TableError> {
        let query = self.query(attribute, value, consistent).limit(count);
        self.rows(query.send().await.map_err(self.call("Query"))?.items)
    }

    /// Reads many rows by their keys (at most 100 a call, all in 16 MB), in no order; absent ones are left out.
    pub async fn batch_get<T: DeserializeOwned>(
        &self,
        keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<T>, TableError> {
        self.rows(Some(self.batch_get_items(keys, consistent).await?))
    }

    /// The same, as items.
    pub async fn batch_get_items(&self, keys: Vec<Item>, consistent: bool) -> Result<Vec<Item>, TableError> {
        const PER_CALL: usize = 100;
        const TRIES: usize = 5;
        let mut rows = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(PER_CALL) {
            let mut keys = chunk.to_vec();
            let mut tries = 0;
            while !keys.is_empty() {
                if tries == TRIES {
                    return Err(TableError::Unanswered { table: self.name.clone() });
                }
                pause_before(tries).await;
                tries += 1;
                let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent);
                let wanted = wanted.build().map_err(self.call("BatchGetItem"))?;
                let call = self.client.batch_get_item().request_items(&self.name, wanted);
                let answer = call.send().await.map_err(self.call("BatchGetItem"))?;
                let items = answer.responses.and_then(|mut tables| tables.remove(&self.name));
                rows.extend(items.unwrap_or_default());
                let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name));
                keys = left.map(|left| left.keys).unwrap_or_default();
            }
        }
        Ok(rows)
    }
}

/// Full jitter before the `tries`-th repetition: none before the first call.
async fn pause_before(tries: usize) {
    if tries > 0 {
        let bound = 25u64 << tries.min(6);
        tokio::time::sleep(std::time::Duration::from_millis(rand::random_range(0..=bound))).await;
    }
}

/// A key of string attributes.
pub(crate) fn key<const N: usize>(parts: [(&str, String); N]) -> Item {
    parts.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
}

/// A number as DynamoDB wants it.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Runs a conditional write: `false` where its condition did not hold, which is an answer and not a failure. DynamoDB refuses
/// a write to a row that is part of a running transaction, and the SDK does not try again by itself.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>
pub(crate) async fn applied<T, E>(
    table: &Table,
    operation: &'static str,
    mut write: impl AsyncFnMut() -> Result<T, SdkError<E>>,
) -> Result<bool, TableError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    const TRIES: usize = 5;
    let mut tries = 0;
    loop {
        pause_before(tries).await;
        tries += 1;
        match write().await {
            Ok(_) => return Ok(true),
            Err(error) => match error.code() {
                Some("ConditionalCheckFailedException") => return Ok(false),
                Some("TransactionConflictException") if tries < TRIES => {}
                _ => return Err(table.call(operation)(error)),
            },
        }
    }
}
