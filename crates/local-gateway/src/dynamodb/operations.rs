//! The supported operations of DynamoDB and DynamoDB Streams.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::error::ApiError;

/// The supported operations; any other gets `UnknownOperationException`.
pub const SUPPORTED: [&str; 18] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "DescribeStream",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetItem",
    "GetRecords",
    "GetShardIterator",
    "ListStreams",
    "ListTables",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
    "UpdateTimeToLive",
];

pub(super) fn perform(engine: &dynoxide::Database, operation: &str, request: Value) -> Result<Value, ApiError> {
    match operation {
        "BatchGetItem" => with(request, |request| engine.batch_get_item(request)),
        "BatchWriteItem" => with(request, |request| engine.batch_write_item(request)),
        "DeleteItem" => with(request, |request| engine.delete_item(request)),
        "DescribeStream" => with(request, |request| engine.describe_stream(request)),
        "DescribeTable" => with(request, |request| engine.describe_table(request)),
        "DescribeTimeToLive" => with(request, |request| engine.describe_time_to_live(request)),
        "GetItem" => with(request, |request| engine.get_item(request)),
        "GetRecords" => with(request, |request| engine.get_records(request)),
        "GetShardIterator" => with(request, |request| engine.get_shard_iterator(request)),
        "ListStreams" => with(request, |request| engine.list_streams(request)),
        "ListTables" => with(request, |request| engine.list_tables(request)),
        "PutItem" => with(request, |request| engine.put_item(request)),
        "Query" => with(request, |request| engine.query(request)),
        "Scan" => with(request, |request| engine.scan(request)),
        "TransactGetItems" => with(request, |request| engine.transact_get_items(request)),
        "TransactWriteItems" => with(request, |request| engine.transact_write_items(request)),
        "UpdateItem" => with(request, |request| engine.update_item(request)),
        "UpdateTimeToLive" => with(request, |request| engine.update_time_to_live(request)),
        _ => Err(ApiError::unknown_operation()),
    }
}

fn with<Q: DeserializeOwned, A: Serialize>(
    request: Value,
    operation: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Value, ApiError> {
    let request = serde_json::from_value(request).map_err(|error| ApiError::of_request(&error))?;
    let response = operation(request).map_err(|error| ApiError::of(&error))?;
    serde_json::to_value(&response)
        .map_err(|error| ApiError::new(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", &error.to_string()))
}

/// Whether an operation may change items.
pub(super) fn writes(operation: &str) -> bool {
    ["BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"].contains(&operation)
}

/// The names or ARNs of the tables of a request.
pub fn tables_of(request: &Value) -> BTreeSet<&str> {
    let single = request["TableName"].as_str();
    let batch = request["RequestItems"].as_object().into_iter().flat_map(|items| items.keys().map(String::as_str));
    let transaction = request["TransactItems"].as_array().into_iter().flatten();
    let transaction = transaction.filter_map(|item| item.as_object()).flat_map(|item| item.values());
    single.into_iter().chain(batch).chain(transaction.filter_map(|action| action["TableName"].as_str())).collect()
}
