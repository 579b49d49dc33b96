//! Creates the template's tables, or checks that existing ones are still the same.

use std::path::Path;

use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::{Value, json};

use super::error::DatabaseError;
use super::operations;
use sam_template::{Index, Key, Table, Template};

pub(super) fn create(engine: &dynoxide::Database, template: &Template, file: &Path) -> Result<(), DatabaseError> {
    for table in template.tables.values() {
        let request = DescribeTableRequest { table_name: table.name.clone() };
        match engine.describe_table(request) {
            Ok(existing) => {
                let existing = serde_json::to_value(&existing).unwrap_or_default();
                if let Some(what) = difference(table, &existing["Table"]) {
                    return Err(DatabaseError::Changed { file: file.to_owned(), table: table.name.clone(), what });
                }
            }
            Err(_) => create_one(engine, table)?,
        }
    }
    Ok(())
}

fn create_one(engine: &dynoxide::Database, table: &Table) -> Result<(), DatabaseError> {
    let failed = |problem: String| DatabaseError::Table { table: table.logical_id.clone(), problem };
    let mut request = json!({
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions(table),
        "KeySchema": key_schema(&table.key),
    });
    if !table.indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = table.indexes.iter().map(index).collect();
    }
    if let Some(stream) = &table.stream {
        request["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": stream.view_type });
    }
    let request = serde_json::from_value(request).map_err(|error| failed(error.to_string()))?;
    engine.create_table(request).map_err(|error| failed(error.to_string()))?;
    if let Some(attribute) = &table.ttl_attribute {
        let specification = json!({ "AttributeName": attribute, "Enabled": true });
        let request = json!({ "TableName": table.name, "TimeToLiveSpecification": specification });
        operations::perform(engine, "UpdateTimeToLive", request).map_err(|error| failed(error.body.to_string()))?;
    }
    Ok(())
}

/// How an existing table differs from the template's.
fn difference(table: &Table, existing: &Value) -> Option<&'static str> {
    let sorted = |value: &Value| {
        let mut items: Vec<String> = value.as_array().into_iter().flatten().map(Value::to_string).collect();
        items.sort();
        items
    };
    if sorted(&existing["KeySchema"]) != sorted(&key_schema(&table.key)) {
        return Some("a key");
    }
    if sorted(&existing["AttributeDefinitions"]) != sorted(&definitions(table)) {
        return Some("attribute definitions");
    }
    let mut indexes: Vec<(String, Vec<String>)> = Vec::new();
    for index in existing["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
        indexes.push((index["IndexName"].as_str().unwrap_or_default().to_owned(), sorted(&index["KeySchema"])));
    }
    let mut expected: Vec<(String, Vec<String>)> =
        table.indexes.iter().map(|index| (index.name.clone(), sorted(&key_schema(&index.key)))).collect();
    indexes.sort();
    expected.sort();
    if indexes != expected {
        return Some("indexes");
    }
    let view_type = existing["StreamSpecification"]["StreamViewType"].as_str();
    (view_type != table.stream.as_ref().map(|stream| stream.view_type.as_str())).then_some("a stream")
}

fn definitions(table: &Table) -> Value {
    let definition = |(name, kind)| json!({ "AttributeName": name, "AttributeType": kind });
    table.attributes.iter().map(definition).collect()
}

fn key_schema(key: &Key) -> Value {
    let partition = json!({ "AttributeName": key.partition, "KeyType": "HASH" });
    let sort = key.sort.iter().map(|sort| json!({ "AttributeName": sort, "KeyType": "RANGE" }));
    std::iter::once(partition).chain(sort).collect()
}

fn index(index: &Index) -> Value {
    let mut projection = json!({ "ProjectionType": index.projection });
    if !index.included.is_empty() {
        projection["NonKeyAttributes"] = json!(index.included);
    }
    json!({ "IndexName": index.name, "KeySchema": key_schema(&index.key), "Projection": projection })
}
