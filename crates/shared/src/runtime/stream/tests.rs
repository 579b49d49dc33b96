use serde_json::{Value, json};

use super::*;

/// Records what it reads, and fails on some changes.
#[derive(Default)]
struct Recorder {
    read: RefCell<Vec<String>>,
    fails_on: RefCell<Vec<&'static str>>,
}

impl StreamReader for Recorder {
    async fn warm_up(&self) {}

    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let numbers: Vec<String> = batch.into_iter().map(|change| change.sequence_number).collect();
        self.read.borrow_mut().extend(numbers.clone());
        let fails_on = self.fails_on.borrow();
        numbers.into_iter().filter(|number| fails_on.contains(&number.as_str())).collect()
    }
}

/// The record of `events/fan-out.json` with another sequence number.
fn record(number: &str) -> Value {
    let example = include_str!("../../../../../events/fan-out.json");
    let mut record = serde_json::from_str::<Value>(example).expect("JSON")["Records"][0].clone();
    record["dynamodb"]["SequenceNumber"] = json!(number);
    record
}

/// Delivers records to a reader; returns the sequence numbers that it read, and the one to continue from.
async fn deliver(reader: &Recorder, progress: &Progress, invocation: Value) -> (Vec<String>, Option<String>) {
    let delivery: Delivery = serde_json::from_value(invocation).expect("a batch");
    let response = handle(reader, progress, delivery.batch().expect("a batch")).await;
    (reader.read.take(), response.failures.into_iter().next().map(|failure| failure.sequence_number))
}

fn batch(numbers: &[&str]) -> Value {
    json!({"Records": numbers.iter().map(|number| record(number)).collect::<Vec<_>>()})
}

#[tokio::test]
async fn retried_batch_skips_what_succeeded_before() {
    let (reader, progress) = (Recorder::default(), Progress::default());
    reader.fails_on.replace(vec!["2", "4"]);
    assert_eq!(
        deliver(&reader, &progress, batch(&["1", "2", "3", "4"])).await,
        (vec!["1".to_owned(), "2".to_owned(), "3".to_owned(), "4".to_owned()], Some("2".to_owned()))
    );
    reader.fails_on.replace(vec!["4"]);
    let again = deliver(&reader, &progress, batch(&["2", "3", "4", "5"])).await;
    assert_eq!(again, (vec!["2".to_owned(), "4".to_owned(), "5".to_owned()], Some("4".to_owned())));
    reader.fails_on.take();
    assert_eq!(deliver(&reader, &progress, batch(&["4", "5"])).await, (vec!["4".to_owned()], None));
    let later = deliver(&reader, &progress, batch(&["4", "5"])).await;
    assert_eq!(later, (vec!["4".to_owned(), "5".to_owned()], None), "a duplicate of a whole batch is read again");
}

#[tokio::test]
async fn unreadable_record_does_not_stop_the_stream() {
    let (reader, progress) = (Recorder::default(), Progress::default());
    let mut invocation = batch(&["1", "2", "3"]);
    invocation["Records"][1]["dynamodb"]["NewImage"]["room_id"] = json!({"BOOL": true});
    assert_eq!(deliver(&reader, &progress, invocation).await, (vec!["1".to_owned(), "3".to_owned()], None));
}

#[tokio::test]
async fn object_of_failure_destination_is_replayed() {
    let (reader, progress) = (Recorder::default(), Progress::default());
    let object = json!({
        "requestContext": {"condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {"batchSize": 2},
        "payload": batch(&["7", "8"]).to_string(),
    });
    assert_eq!(deliver(&reader, &progress, object).await, (vec!["7".to_owned(), "8".to_owned()], None));
}
