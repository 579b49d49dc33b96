//! The database without the endpoint.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use sam_template::StackContext;

const TEMPLATE: &str = "
Resources:
  Log:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
";

fn template(source: &str) -> Template {
    Template::parse(source, StackContext::local("demo"), &BTreeMap::new()).unwrap()
}

async fn put(database: &Database, id: &str, expires_at: u64) {
    let item = json!({ "id": { "S": id }, "expires_at": { "N": expires_at.to_string() } });
    database.call("PutItem", json!({ "TableName": "demo-Log", "Item": item })).await.unwrap();
}

#[tokio::test]
async fn expired_items_are_deleted_by_the_service() {
    let database = Database::open(&template(TEMPLATE), None).await.unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    put(&database, "old", now - 60).await;
    put(&database, "young", now + 3600).await;
    let mut writes = database.writes();
    writes.mark_unchanged();
    assert_eq!(database.sweep_expired().await.unwrap(), 1);
    assert!(writes.has_changed().unwrap());
    let records = database.records("demo-Log", None, 10).await.unwrap();
    let names: Vec<&str> = records.iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(names, ["INSERT", "INSERT", "REMOVE"]);
    assert_eq!(records[2].user_identity, Some(json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" })));
    assert_eq!(records[2].old_image.as_ref().unwrap()["id"], json!({ "S": "old" }));
}

#[tokio::test]
async fn records_are_trimmed_after_all_readers() {
    let database = Database::open(&template(TEMPLATE), None).await.unwrap();
    for id in ["a", "b", "c"] {
        put(&database, id, 1).await;
    }
    let numbers = async || {
        let records = database.records("demo-Log", None, 10).await.unwrap();
        records.into_iter().map(|record| record.number).collect::<Vec<_>>()
    };
    let all = numbers().await;
    assert_eq!(all.len(), 3);
    assert_eq!(database.last_record("demo-Log").await.unwrap(), Some(all[2]));
    let readers = ["one".to_owned(), "two".to_owned()];
    database.advance("one", all[2], "demo-Log", &readers).await.unwrap();
    assert_eq!(numbers().await, all, "the second reader has read nothing yet");
    database.advance("two", all[0], "demo-Log", &readers).await.unwrap();
    assert_eq!(numbers().await, all[1..]);
    database.advance("two", all[2], "demo-Log", &readers).await.unwrap();
    assert_eq!(numbers().await, all[2..]);
    assert_eq!(database.position("two").await.unwrap(), Some(all[2]));
    put(&database, "d", 1).await;
    assert!(numbers().await[1] > all[2]);
}

#[tokio::test]
async fn permanent_databases_reject_changed_tables() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&template(TEMPLATE), Some(folder.path())).await.unwrap();
    put(&database, "kept", 1).await;
    drop(database);
    let database = Database::open(&template(TEMPLATE), Some(folder.path())).await.unwrap();
    let request = json!({ "TableName": "demo-Log", "Key": { "id": { "S": "kept" } } });
    assert_eq!(database.call("GetItem", request).await.unwrap().body["Item"]["id"], json!({ "S": "kept" }));
    drop(database);
    let changed = template(&TEMPLATE.replace("AttributeName: id", "AttributeName: key"));
    let error = Database::open(&changed, Some(folder.path())).await.err().unwrap();
    let error = error.to_string();
    assert!(error.contains("has a key other than the template's"), "{error}");
}

#[tokio::test]
async fn gateways_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Database::open(&template(TEMPLATE), Some(folder.path())).await.unwrap();
    let error = Database::open(&template(TEMPLATE), Some(folder.path())).await.err().unwrap();
    assert!(error.to_string().contains("is in use by another gateway"), "{error}");
    drop(first);
    Database::open(&template(TEMPLATE), Some(folder.path())).await.unwrap();
}

#[tokio::test]
async fn folder_errors_name_the_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Database::open(&template(TEMPLATE), Some(&file.path().join("data"))).await.err().unwrap();
    assert!(error.to_string().starts_with("failed to create the folder "), "{error}");
}

#[tokio::test]
async fn temporary_databases_are_removed() {
    let database = Database::open(&template(TEMPLATE), None).await.unwrap();
    let folder = database.0._folder.temporary.as_ref().unwrap().path().to_owned();
    assert!(folder.join("dynamodb.sqlite").exists());
    drop(database);
    assert!(!folder.exists());
}
