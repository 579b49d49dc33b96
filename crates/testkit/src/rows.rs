//! The tables behind a gateway, read and written as an operator would: past every function, fault and count.

use local_gateway::Gateway;
use serde_dynamo::Item;
use serde_json::{Value, json};

/// The limit of `BatchWriteItem`:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
const BATCH_SIZE: usize = 25;

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("the template has no table {0}")]
    Missing(String),
    #[error("{operation} failed on {table}: {problem}")]
    Failed { operation: &'static str, table: String, problem: String },
    #[error("a row of {table} is not plain data: {source}")]
    Row { table: String, source: serde_dynamo::Error },
}

/// Reads all rows of a table, as plain JSON.
///
/// # Errors
///
/// See [`TableError`].
pub async fn read(gateway: &Gateway, logical_id: &str) -> Result<Vec<Value>, TableError> {
    let unreadable = |source| TableError::Row { table: logical_id.to_owned(), source };
    let mut request = json!({"TableName": physical_name(gateway, logical_id)?, "ConsistentRead": true});
    let mut rows = Vec::new();
    loop {
        let mut page = call(gateway, "Scan", logical_id, request.clone()).await?;
        for item in page["Items"].as_array_mut().into_iter().flatten() {
            let item: Item =
                serde_json::from_value(item.take()).map_err(|error| failed("Scan", logical_id, error.to_string()))?;
            rows.push(serde_dynamo::from_item(item).map_err(unreadable)?);
        }
        match page["LastEvaluatedKey"].take() {
            Value::Null => return Ok(rows),
            key => request["ExclusiveStartKey"] = key,
        }
    }
}

/// Writes rows of plain JSON to a table. Sets become lists: rows with sets are written with [`write_items`].
///
/// # Errors
///
/// See [`TableError`].
pub async fn write(
    gateway: &Gateway,
    logical_id: &str,
    rows: impl IntoIterator<Item = Value>,
) -> Result<(), TableError> {
    let mut items = Vec::new();
    for row in rows {
        let item: Item =
            serde_dynamo::to_item(row).map_err(|source| TableError::Row { table: logical_id.to_owned(), source })?;
        items.push(json!(item));
    }
    write_items(gateway, logical_id, &items).await
}

/// Refills the rate limits of everybody, as a long pause would.
///
/// # Errors
///
/// See [`TableError`].
pub async fn refill_rate_limits(gateway: &Gateway) -> Result<(), TableError> {
    const TABLE: &str = "GuardsTable";
    let mut buckets = read(gateway, TABLE).await?;
    buckets.retain(|row| row.get("full_at").is_some());
    for bucket in &mut buckets {
        bucket["full_at"] = json!(1);
    }
    write(gateway, TABLE, buckets).await
}

/// Writes items in DynamoDB's own JSON to a table.
///
/// # Errors
///
/// See [`TableError`].
pub async fn write_items(gateway: &Gateway, logical_id: &str, items: &[Value]) -> Result<(), TableError> {
    let table = physical_name(gateway, logical_id)?;
    for batch in items.chunks(BATCH_SIZE) {
        let requests: Vec<Value> = batch.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        let request = json!({"RequestItems": {table.clone(): requests}});
        // The local database always takes a batch as a whole.
        call(gateway, "BatchWriteItem", logical_id, request).await?;
    }
    Ok(())
}

/// Reads the last item under a partition key, in DynamoDB's own JSON.
///
/// # Errors
///
/// See [`TableError`].
pub async fn last_item(gateway: &Gateway, logical_id: &str, key: &str, value: &str) -> Result<Value, TableError> {
    let request = json!({
        "TableName": physical_name(gateway, logical_id)?,
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": key},
        "ExpressionAttributeValues": {":key": {"S": value}},
        "ScanIndexForward": false,
        "Limit": 1,
    });
    let mut answer = call(gateway, "Query", logical_id, request).await?;
    Ok(answer["Items"][0].take())
}

fn physical_name(gateway: &Gateway, logical_id: &str) -> Result<String, TableError> {
    gateway.resource(logical_id).ok_or_else(|| TableError::Missing(logical_id.to_owned()))
}

async fn call(
    gateway: &Gateway,
    operation: &'static str,
    logical_id: &str,
    request: Value,
) -> Result<Value, TableError> {
    let answer = gateway.database().call(operation, request).await;
    answer.map(|answer| answer.body).map_err(|error| failed(operation, logical_id, error.body.to_string()))
}

fn failed(operation: &'static str, logical_id: &str, problem: String) -> TableError {
    TableError::Failed { operation, table: logical_id.to_owned(), problem }
}
