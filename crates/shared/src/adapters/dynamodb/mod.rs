//! DynamoDB: one module per table. Rows are (de)serialized with serde, and each key format is defined once.
//!
//! Limits: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>

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
pub use guards::{Decision, Nonces, RateLimits, Tickets};
pub use idempotency_records::{IdempotencyRecord, IdempotencyRecords};
pub use log::{Appended, FailurePosition, Log};
pub use members::{ListPosition, Members, OwnTexts};
pub use profiles::{Profile, Profiles};
pub use rooms::{Head, MAX_GROUP_MEMBERS, Rooms};
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
use crate::metric::{self, Metric};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A write of a transaction, built by the module of its table and executed by [`Log::append`].
pub use aws_sdk_dynamodb::types::TransactWriteItem as Write;

/// A DynamoDB call failed, or a row was invalid. Never contains a row's content.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A call failed after the SDK's retries.
    #[error("{operation} on {table} failed")]
    Call {
        operation: &'static str,
        table: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A row or value could not be (de)serialized. The cause is omitted because serde's errors quote values.
    #[error("a row of {table} is malformed")]
    Row { table: String },
    /// DynamoDB repeatedly returned unprocessed keys.
    #[error("BatchGetItem on {table} left keys unprocessed after several attempts")]
    Unprocessed { table: String },
}

crate::error::fails!(TableError);

/// A page of rows.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Whether there are more rows after these.
    pub more: bool,
}

/// A table and the client to access it.
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

    /// Several rows. One that cannot be read costs only itself: a newer version may have written it.
    pub fn rows<T: DeserializeOwned>(&self, items: Option<Vec<Item>>) -> Vec<T> {
        let read = |item| {
            let row = self.row(item);
            if let Err(error) = &row {
                tracing::error!(error = error.to_string(), "left out a row that cannot be read");
                metric::count(Metric::PoisonRecord, 1);
            }
            row.ok()
        };
        items.unwrap_or_default().into_iter().filter_map(read).collect()
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

    /// Writes one row, replacing any existing one.
    pub async fn put(&self, row: &impl Serialize) -> Result<(), TableError> {
        self.put_item(self.item(row)?).await
    }

    /// Writes one row given as an item.
    pub async fn put_item(&self, item: Item) -> Result<(), TableError> {
        let call = self.client.put_item().table_name(&self.name).set_item(Some(item));
        call.send().await.map_err(self.call("PutItem"))?;
        Ok(())
    }

    /// A transactional write that fails if the row exists.
    pub fn insert(
        &self,
        row: &impl Serialize,
        key: &str,
    ) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder, TableError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(self.item(row)?));
        Ok(put.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", key))
    }

    /// Runs a conditional update; `false` if its condition does not hold.
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

    /// The rows under a partition key, strongly consistent, one page at a time to bound memory.
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
            let rows = self.rows(page.items);
            let start = page.last_evaluated_key.filter(|key| !key.is_empty());
            let more = start.is_some();
            let next = start.map(|start| query.set_exclusive_start_key(Some(start)));
            Ok(Some((Page { rows, more }, next)))
        })
    }

    /// All rows under a partition key, strongly consistent.
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
        Ok(self.rows(query.send().await.map_err(self.call("Query"))?.items))
    }

    /// Reads rows by their keys (at most 100 per call and 16 MB in all), in no particular order; missing rows are
    /// omitted.
    pub async fn batch_get<T: DeserializeOwned>(
        &self,
        keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<T>, TableError> {
        Ok(self.rows(Some(self.batch_get_items(keys, consistent).await?)))
    }

    /// Like [`Self::batch_get`], but returns items.
    pub async fn batch_get_items(&self, keys: Vec<Item>, consistent: bool) -> Result<Vec<Item>, TableError> {
        const PER_CALL: usize = 100;
        const MAX_ATTEMPTS: usize = 5;
        let mut rows = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(PER_CALL) {
            let mut keys = chunk.to_vec();
            let mut attempts = 0;
            while !keys.is_empty() {
                if attempts == MAX_ATTEMPTS {
                    return Err(TableError::Unprocessed { table: self.name.clone() });
                }
                pause_before(attempts).await;
                attempts += 1;
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

/// Waits before a retry, with full jitter; does not wait before the first attempt.
async fn pause_before(earlier_attempts: usize) {
    if earlier_attempts > 0 {
        let bound = 25u64 << earlier_attempts.min(6);
        tokio::time::sleep(std::time::Duration::from_millis(rand::random_range(0..=bound))).await;
    }
}

/// A key of string attributes.
pub(crate) fn key<const N: usize>(parts: [(&str, String); N]) -> Item {
    parts.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
}

/// A number attribute, which DynamoDB takes as a string.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Runs a conditional write; `false` if its condition does not hold. Retries conflicts with a running transaction,
/// which the SDK does not.
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
    const MAX_ATTEMPTS: usize = 5;
    let mut attempts = 0;
    loop {
        pause_before(attempts).await;
        attempts += 1;
        match write().await {
            Ok(_) => return Ok(true),
            Err(error) => match error.code() {
                Some("ConditionalCheckFailedException") => return Ok(false),
                Some("TransactionConflictException") if attempts < MAX_ATTEMPTS => {}
                _ => return Err(table.call(operation)(error)),
            },
        }
    }
}
