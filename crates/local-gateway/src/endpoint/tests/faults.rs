//! Faults of DynamoDB, as the real SDK sees them.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::*;
use crate::faults::{Chance, DynamoDb, Latencies, Latency};
use crate::interceptor::DynamoDbCall;

async fn world(dynamodb: DynamoDb) -> World {
    World::with(Plan { dynamodb, ..Plan::default() }).await
}

impl World {
    /// A client without retries, so that it sees every fault.
    fn without_retries(&self) -> aws_sdk_dynamodb::Client {
        let config = self.writer().config().to_builder().retry_config(RetryConfig::disabled()).build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// The texts of all notes in order, read by a client that meets no faults.
    async fn stored(&self) -> Vec<String> {
        let client = self.dynamodb("AKIASTRANGER");
        let query = client.query().table_name("demo-Notes").key_condition_expression("book = :b");
        let found = query.expression_attribute_values(":b", s("a")).consistent_read(true).send().await.unwrap();
        found.items().iter().map(|item| item["text"].as_s().unwrap().clone()).collect()
    }

    async fn put(&self, seq: u64, text: &str) -> Result<(), String> {
        transact(&self.without_retries(), seq, text).await
    }
}

/// Puts a note in a transaction if its number is free. The error is in the words of the SDK.
async fn transact(client: &aws_sdk_dynamodb::Client, seq: u64, text: &str) -> Result<(), String> {
    let item = TransactWriteItem::builder().put(put(seq, text)).build();
    match client.transact_write_items().transact_items(item).send().await {
        Ok(_) => Ok(()),
        Err(SdkError::DispatchFailure(_)) => Err("no answer".into()),
        Err(error) => match cancelled(error.as_service_error().unwrap()) {
            Some(cancelled) => Err(cancelled.cancellation_reasons()[0].code().unwrap_or_default().to_owned()),
            None => Err(error.code().unwrap_or_default().to_owned()),
        },
    }
}

#[tokio::test]
async fn throttled_calls_apply_nothing() {
    let world = world(DynamoDb { throttled: Chance::of(1.0), ..DynamoDb::default() }).await;
    let mut reasons = BTreeMap::new();
    for seq in 0..30 {
        *reasons.entry(world.put(seq, "x").await.unwrap_err()).or_insert(0) += 1;
    }
    let names = ["ProvisionedThroughputExceededException", "ThrottlingError", "ThrottlingException"];
    assert_eq!(reasons.keys().collect::<Vec<_>>(), names);
    assert!(world.stored().await.is_empty());
    assert_eq!(world.faults.counts(), BTreeMap::from([(Kind::DynamoDbThrottled, 30)]));
    let refused = world.calls("Writer")["dynamodb:TransactWriteItems Notes"];
    assert_eq!((refused.calls, refused.refused), (30, 30));
}

#[tokio::test]
async fn throttled_batches_return_a_part() {
    let world = world(DynamoDb { throttled: Chance::once(), ..DynamoDb::default() }).await;
    let outsider = world.dynamodb("AKIASTRANGER");
    for seq in 1..=3 {
        let put = outsider.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(seq));
        put.item("text", s("x")).send().await.unwrap();
    }
    let key = |seq| [("book".to_owned(), s("a")), ("seq".to_owned(), n(seq))].into();
    let keys = KeysAndAttributes::builder().set_keys(Some((1..=3).map(key).collect())).build().unwrap();
    let client = world.without_retries();
    let answer = client.batch_get_item().request_items("demo-Notes", keys).send().await.unwrap();
    let found = answer.responses().unwrap()["demo-Notes"].len();
    let rest = answer.unprocessed_keys().unwrap().clone();
    assert!((1..3).contains(&found));
    assert_eq!(found + rest["demo-Notes"].keys().len(), 3);
    let answer = client.batch_get_item().set_request_items(Some(rest)).send().await.unwrap();
    assert_eq!(found + answer.responses().unwrap()["demo-Notes"].len(), 3);
    assert!(answer.unprocessed_keys().unwrap().is_empty());
}

#[tokio::test]
async fn calls_that_failed_before_can_be_retried() {
    let world = world(DynamoDb { failed_before: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(world.put(1, "x").await, Err("InternalServerError".into()));
    assert!(world.stored().await.is_empty());
    assert_eq!(world.put(1, "x").await, Ok(()));
}

#[tokio::test]
async fn calls_that_failed_after_are_applied() {
    let world = world(DynamoDb { failed_after: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(world.put(1, "x").await, Err("InternalServerError".into()));
    assert_eq!(world.stored().await, ["x"]);
    assert_eq!(world.put(1, "x").await, Err("ConditionalCheckFailed".into()));
    let counted = world.calls("Writer")["dynamodb:TransactWriteItems Notes"];
    assert_eq!((counted.calls, counted.refused, counted.write_units), (2, 1, 2.0), "applied calls are billed");
}

#[tokio::test]
async fn cut_connections_give_no_response() {
    let world = world(DynamoDb { cut_after: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(world.put(1, "x").await, Err("no answer".into()));
    assert_eq!(world.stored().await, ["x"]);
    assert_eq!(world.faults.counts(), BTreeMap::from([(Kind::DynamoDbCutAfter, 1)]));
}

#[tokio::test]
async fn retries_of_unanswered_calls_are_deduplicated() {
    let world = world(DynamoDb { never_answered: Chance::once(), ..DynamoDb::default() }).await;
    let timeout = TimeoutConfig::builder().operation_attempt_timeout(std::time::Duration::from_secs(2)).build();
    let config = world.writer().config().to_builder().timeout_config(timeout).build();
    assert_eq!(transact(&aws_sdk_dynamodb::Client::from_conf(config), 1, "x").await, Ok(()));
    assert_eq!(world.stored().await, ["x"]);
    assert_eq!(world.faults.counts(), BTreeMap::from([(Kind::DynamoDbNeverAnswered, 1)]));
}

#[tokio::test]
async fn sdk_retries_are_deduplicated_by_token() {
    let world =
        world(DynamoDb { failed_after: Chance::once(), cut_after: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(transact(&world.writer(), 1, "x").await, Ok(()));
    assert_eq!(world.stored().await, ["x"]);
    assert_eq!(world.calls("Writer")["dynamodb:TransactWriteItems Notes"].calls, 3);
}

#[tokio::test]
async fn transaction_conflicts_apply_nothing() {
    let world = world(DynamoDb { conflict: Chance::once(), ..DynamoDb::default() }).await;
    let client = world.without_retries();
    client.get_item().table_name("demo-Notes").key("book", s("a")).key("seq", n(1)).send().await.unwrap();
    assert_eq!(world.put(1, "x").await, Err("TransactionConflict".into()));
    assert!(world.stored().await.is_empty());
    assert_eq!(world.put(1, "x").await, Ok(()));
}

#[tokio::test]
async fn write_conflicts_apply_nothing() {
    let world = world(DynamoDb { write_conflict: Chance::once(), ..DynamoDb::default() }).await;
    let put = async |client: &aws_sdk_dynamodb::Client| {
        let put =
            client.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(1)).item("text", s("x"));
        put.send().await.map(|_| ()).map_err(|error| error.code().unwrap_or_default().to_owned())
    };
    let client = world.without_retries();
    assert_eq!(put(&client).await, Err("TransactionConflictException".into()));
    assert!(world.stored().await.is_empty());
    assert_eq!(put(&client).await, Ok(()));
}

#[tokio::test]
async fn slow_calls_take_the_planned_time() {
    let world = world(DynamoDb { slow: Chance::once().for_ms(300..=300), ..DynamoDb::default() }).await;
    let started = std::time::Instant::now();
    assert_eq!(world.put(1, "x").await, Ok(()));
    assert!(started.elapsed() >= std::time::Duration::from_millis(300));
    assert_eq!(world.stored().await, ["x"]);
}

#[tokio::test]
async fn latencies_delay_success_and_failure() {
    let latency = Latency { p50_ms: 300.0, p99_ms: 300.0, source: "a test".into() };
    let latencies = Latencies { dynamodb: [("default".to_owned(), latency)].into(), ..Latencies::default() };
    let world = World::with(Plan { latencies: Some(latencies), ..Plan::default() }).await;
    for outcome in [Ok(()), Err("ConditionalCheckFailed".to_owned())] {
        let started = std::time::Instant::now();
        assert_eq!(world.put(1, "x").await, outcome);
        assert!(started.elapsed() >= std::time::Duration::from_millis(300));
    }
}

#[tokio::test]
async fn runs_are_reproducible_by_seed() {
    let run = async |seed| {
        let mut plan = Plan::every_kind(seed, 0.1);
        // The client has no timeout.
        plan.dynamodb.never_answered = Chance::default();
        let world = World::with(plan).await;
        let mut outcomes = Vec::new();
        for seq in 0..60 {
            outcomes.push(world.put(seq, "x").await);
        }
        (outcomes, world.stored().await.len(), world.faults.counts())
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
}

/// Replaces the text of every note, and hides notes that are read.
#[derive(Debug)]
struct Rewriting;

impl Interceptor for Rewriting {
    fn dynamodb_request(&self, call: DynamoDbCall<'_>, request: &mut Value) {
        assert_eq!((call.logical_id)("demo-Notes"), "Notes");
        if call.function == "Writer" && call.operation == "PutItem" {
            request["Item"]["text"] = serde_json::json!({ "S": "rewritten" });
        }
    }

    fn dynamodb_response(&self, call: DynamoDbCall<'_>, _request: &Value, response: &mut Value) {
        if call.operation == "GetItem"
            && let Some(response) = response.as_object_mut()
        {
            response.remove("Item");
        }
    }
}

#[tokio::test]
async fn interceptors_change_requests_and_responses() {
    let world = World::intercepted(Plan::default(), Arc::new(Rewriting)).await;
    let put = |client: &aws_sdk_dynamodb::Client, seq| {
        let put = client.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(seq));
        put.item("text", s("as sent")).send()
    };
    put(&world.writer(), 1).await.unwrap();
    put(&world.dynamodb("AKIASTRANGER"), 2).await.unwrap();
    assert_eq!(world.stored().await, ["rewritten", "as sent"], "only functions are intercepted");
    let client = world.writer();
    let get = client.get_item().table_name("demo-Notes").key("book", s("a")).key("seq", n(1));
    assert!(get.send().await.unwrap().item().is_none());
}
