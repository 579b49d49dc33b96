//! Faults of DynamoDB, as the real SDK sees them.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::*;
use crate::faults::{Chance, DynamoDb, Latencies, Latency, Sabotage};

/// With faults of DynamoDB alone.
async fn world(dynamodb: DynamoDb) -> World {
    World::with(Plan { dynamodb, ..Plan::default() }).await
}

impl World {
    /// The writer, who sees every fault: nothing is repeated for it.
    fn impatient(&self) -> aws_sdk_dynamodb::Client {
        let config = self.writer().config().to_builder().retry_config(RetryConfig::disabled()).build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// The texts of all notes, by their numbers, as somebody sees them whom no fault strikes.
    async fn truth(&self) -> Vec<String> {
        let client = self.dynamodb("AKIASTRANGER");
        let query = client.query().table_name("demo-Notes").key_condition_expression("book = :b");
        let found = query.expression_attribute_values(":b", s("a")).consistent_read(true).send().await.unwrap();
        found.items().iter().map(|item| item["text"].as_s().unwrap().clone()).collect()
    }

    async fn put(&self, seq: u64, text: &str) -> Result<(), String> {
        transact(&self.impatient(), seq, text).await
    }
}

/// Puts one note in a transaction, if its number is free; or says what went wrong, in the SDK's words.
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
async fn a_throttled_call_applies_nothing_and_names_one_of_three_reasons() {
    let world = world(DynamoDb { throttled: Chance::of(1.0), ..DynamoDb::default() }).await;
    let mut reasons = BTreeMap::new();
    for seq in 0..30 {
        *reasons.entry(world.put(seq, "x").await.unwrap_err()).or_insert(0) += 1;
    }
    let names = ["ProvisionedThroughputExceededException", "ThrottlingError", "ThrottlingException"];
    assert_eq!(reasons.keys().collect::<Vec<_>>(), names);
    assert!(world.truth().await.is_empty());
    assert_eq!(world.faults.counts(), BTreeMap::from([(Kind::DynamoDbThrottled, 30)]));
    let refused = world.calls("Writer")["dynamodb:TransactWriteItems Notes"];
    assert_eq!((refused.calls, refused.refused), (30, 30));
}

#[tokio::test]
async fn a_throttled_batch_may_be_answered_in_part() {
    let world = world(DynamoDb { throttled: Chance::once(), ..DynamoDb::default() }).await;
    let outsider = world.dynamodb("AKIASTRANGER");
    for seq in 1..=3 {
        let put = outsider.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(seq));
        put.item("text", s("x")).send().await.unwrap();
    }
    let key = |seq| [("book".to_owned(), s("a")), ("seq".to_owned(), n(seq))].into();
    let keys = KeysAndAttributes::builder().set_keys(Some((1..=3).map(key).collect())).build().unwrap();
    let client = world.impatient();
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
async fn a_call_that_failed_before_it_was_applied_can_simply_be_repeated() {
    let world = world(DynamoDb { failed_before: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(world.put(1, "x").await, Err("InternalServerError".into()));
    assert!(world.truth().await.is_empty());
    assert_eq!(world.put(1, "x").await, Ok(()));
}

#[tokio::test]
async fn a_call_that_failed_after_it_was_applied_is_in_its_own_way_when_repeated() {
    let world = world(DynamoDb { failed_after: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(world.put(1, "x").await, Err("InternalServerError".into()));
    assert_eq!(world.truth().await, ["x"]);
    assert_eq!(world.put(1, "x").await, Err("ConditionalCheckFailed".into()));
    let counted = world.calls("Writer")["dynamodb:TransactWriteItems Notes"];
    assert_eq!((counted.calls, counted.refused, counted.write_units), (2, 1, 2.0), "what was applied is paid for");
}

#[tokio::test]
async fn a_connection_that_is_cut_after_a_call_was_applied_gives_no_answer() {
    let world = world(DynamoDb { cut_after: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(world.put(1, "x").await, Err("no answer".into()));
    assert_eq!(world.truth().await, ["x"]);
    assert_eq!(world.faults.counts(), BTreeMap::from([(Kind::DynamoDbCutAfter, 1)]));
}

#[tokio::test]
async fn a_call_that_is_never_answered_was_applied_and_is_told_by_its_token_when_it_is_made_again() {
    let world = world(DynamoDb { never_answered: Chance::once(), ..DynamoDb::default() }).await;
    let patience = TimeoutConfig::builder().operation_attempt_timeout(std::time::Duration::from_millis(100)).build();
    let config = world.writer().config().to_builder().timeout_config(patience).build();
    assert_eq!(transact(&aws_sdk_dynamodb::Client::from_conf(config), 1, "x").await, Ok(()));
    assert_eq!(world.truth().await, ["x"]);
    assert_eq!(world.faults.counts(), BTreeMap::from([(Kind::DynamoDbNeverAnswered, 1)]));
}

#[tokio::test]
async fn the_sdks_own_repetition_of_a_transaction_is_told_by_its_token() {
    let world =
        world(DynamoDb { failed_after: Chance::once(), cut_after: Chance::once(), ..DynamoDb::default() }).await;
    assert_eq!(transact(&world.writer(), 1, "x").await, Ok(()));
    assert_eq!(world.truth().await, ["x"]);
    assert_eq!(world.calls("Writer")["dynamodb:TransactWriteItems Notes"].calls, 3);
}

#[tokio::test]
async fn a_transaction_that_conflicts_applies_nothing_and_no_other_operation_conflicts() {
    let world = world(DynamoDb { conflict: Chance::once(), ..DynamoDb::default() }).await;
    let client = world.impatient();
    client.get_item().table_name("demo-Notes").key("book", s("a")).key("seq", n(1)).send().await.unwrap();
    assert_eq!(world.put(1, "x").await, Err("TransactionConflict".into()));
    assert!(world.truth().await.is_empty());
    assert_eq!(world.put(1, "x").await, Ok(()));
}

#[tokio::test]
async fn a_single_write_that_meets_a_transaction_applies_nothing_and_is_told_so() {
    let world = world(DynamoDb { write_conflict: Chance::once(), ..DynamoDb::default() }).await;
    let put = async |client: &aws_sdk_dynamodb::Client| {
        let put =
            client.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(1)).item("text", s("x"));
        put.send().await.map(|_| ()).map_err(|error| error.code().unwrap_or_default().to_owned())
    };
    let client = world.impatient();
    assert_eq!(put(&client).await, Err("TransactionConflictException".into()));
    assert!(world.truth().await.is_empty());
    assert_eq!(put(&client).await, Ok(()));
}

#[tokio::test]
async fn a_slow_call_takes_as_long_as_the_plan_says_and_is_performed() {
    let world = world(DynamoDb { slow: Chance::once().for_ms(300..=300), ..DynamoDb::default() }).await;
    let begun = std::time::Instant::now();
    assert_eq!(world.put(1, "x").await, Ok(()));
    assert!(begun.elapsed() >= std::time::Duration::from_millis(300));
    assert_eq!(world.truth().await, ["x"]);
}

#[tokio::test]
async fn a_call_takes_at_least_as_long_as_on_aws_and_fails_no_differently() {
    let latency = Latency { p50_ms: 300.0, p99_ms: 300.0, source: "a test".into() };
    let latencies = Latencies { dynamodb: [("default".to_owned(), latency)].into(), ..Latencies::default() };
    let world = World::with(Plan { latencies: Some(latencies), ..Plan::default() }).await;
    for outcome in [Ok(()), Err("ConditionalCheckFailed".to_owned())] {
        let begun = std::time::Instant::now();
        assert_eq!(world.put(1, "x").await, outcome);
        assert!(begun.elapsed() >= std::time::Duration::from_millis(300));
    }
}

#[tokio::test]
async fn a_run_can_be_repeated_by_its_seed() {
    let run = async |seed| {
        let mut plan = Plan::every_kind(seed, 0.1);
        // Nobody here gives up waiting.
        plan.dynamodb.never_answered = Chance::default();
        let world = World::with(plan).await;
        let mut outcomes = Vec::new();
        for seq in 0..60 {
            outcomes.push(world.put(seq, "x").await);
        }
        (outcomes, world.truth().await.len(), world.faults.counts())
    };
    let (first, other) = (run(1).await, run(2).await);
    assert_eq!(first, run(1).await);
    assert_ne!(first, other);
}

#[tokio::test]
async fn sends_that_are_ignored_are_never_found_and_overwritten() {
    let sabotage = Sabotage { sends_ignored: true, sends_table: "Notes".into(), ..Sabotage::default() };
    let world = World::with(Plan { sabotage, ..Plan::default() }).await;
    world.put(1, "first").await.unwrap();
    let client = world.impatient();
    let get = client.get_item().table_name("demo-Notes").key("book", s("a")).key("seq", n(1));
    assert!(get.send().await.unwrap().item().is_none());
    world.put(1, "second").await.unwrap();
    assert_eq!(world.truth().await, ["second"]);
}

#[tokio::test]
async fn numbers_without_a_guard_are_taken_twice_and_still_found() {
    let sabotage = Sabotage { numbers_unguarded: true, messages_table: "Notes".into(), ..Sabotage::default() };
    let world = World::with(Plan { sabotage, ..Plan::default() }).await;
    world.put(1, "first").await.unwrap();
    world.put(1, "second").await.unwrap();
    let client = world.impatient();
    let conditional = client.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(1));
    let conditional = conditional.item("text", s("third")).condition_expression("#b <> :b");
    let conditional = conditional.expression_attribute_names("#b", "book").expression_attribute_values(":b", s("a"));
    conditional.send().await.unwrap();
    let get = client.get_item().table_name("demo-Notes").key("book", s("a")).key("seq", n(1));
    assert_eq!(get.send().await.unwrap().item().unwrap()["text"], s("third"));
}

#[tokio::test]
async fn a_defect_touches_its_own_table_alone() {
    let sabotage = Sabotage { sends_ignored: true, sends_table: "Drafts".into(), ..Sabotage::default() };
    let world = World::with(Plan { sabotage, ..Plan::default() }).await;
    world.put(1, "first").await.unwrap();
    assert_eq!(world.put(1, "second").await, Err("ConditionalCheckFailed".into()));
}
