//! The tables behind the gateway, read and written with the AWS SDK as an operator would.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use local_gateway::Gateway;
use serde_json::Value;

/// One row, as plain JSON.
pub type Row = Value;

/// A client of the gateway's DynamoDB. Its key belongs to no function: it may do everything and is counted for nobody.
pub(crate) fn client(gateway: &Gateway) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("person", "person", None, None, "a person at the laptop"))
        .endpoint_url(gateway.endpoint_url())
        .build();
    Client::from_conf(config)
}

/// All rows of a table.
pub(crate) async fn all(client: &Client, table: &str) -> Vec<Row> {
    let mut pages = client.scan().table_name(table).consistent_read(true).into_paginator().send();
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page.expect("the table can be read").items.unwrap_or_default() {
            rows.push(serde_dynamo::from_item(item).expect("a row is plain data"));
        }
    }
    rows
}

/// Puts rows into a table, 25 at a time.
pub(crate) async fn put(client: &Client, table: &str, rows: impl IntoIterator<Item = Row>) {
    use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
    let mut requests: Vec<WriteRequest> = rows
        .into_iter()
        .map(|row| {
            let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(row).expect("a row is plain data");
            let put = PutRequest::builder().set_item(Some(item)).build().expect("the item is there");
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    while !requests.is_empty() {
        let rest = requests.split_off(requests.len().min(25));
        let batch = std::mem::replace(&mut requests, rest);
        let written = client.batch_write_item().request_items(table, batch).send().await.expect("rows can be written");
        assert!(written.unprocessed_items.unwrap_or_default().is_empty(), "the local database takes every batch whole");
    }
}

/// How many rows each table has: compared before and after, it says whether anything was written.
pub(crate) async fn counts(
    client: &Client,
    tables: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (logical_id, table) in tables {
        counts.insert(logical_id, all(client, &table).await.len());
    }
    counts
}
