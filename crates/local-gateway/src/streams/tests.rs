//! The readers with fake functions.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use axum::body::Bytes;

use serde_json::{Value, json};

mod faults;

use super::*;
use crate::interceptor::PassThrough;
use crate::lambda::InvokeError;
use invoker::Response;
use sam_template::StackContext;

const TEMPLATE: &str = "
Resources:
  Log:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Lost: {Type: AWS::S3::Bucket}
  First:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: first
      Events:
        Log:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Log.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 4
            MaximumRetryAttempts: 2
            SETTINGS
            DestinationConfig: {OnFailure: {Destination: !GetAtt Lost.Arn}}
";

const SECOND: &str = "
  Second:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: second
      Events:
        Log:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Log.StreamArn
            StartingPosition: TRIM_HORIZON
            FilterCriteria:
              Filters:
                - Pattern: >-
                    {\"eventName\": [\"INSERT\"], \"dynamodb\": {\"NewImage\": {\"kind\": {\"S\": [\"text\"]}}}}
";

/// The response to one invocation.
enum Answer {
    Says(Value),
    /// Reports the records with these ids as failed.
    Reports(&'static [&'static str]),
    Fails,
}

/// Records the ids of every batch by function, and gives the queued responses; without any, success.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    batches: Vec<(String, Vec<String>)>,
    events: Vec<Value>,
    answers: VecDeque<Answer>,
    /// `First` fails on every batch that contains this id.
    poison: Option<&'static str>,
}

impl Recorder {
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Recorder {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().answers.extend(answers);
        recorder
    }

    fn failing_on(id: &'static str) -> Recorder {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().poison = Some(id);
        recorder
    }

    /// The batches of one function, each as the ids of its records.
    fn batches(&self, function: &str) -> Vec<String> {
        let recorded = self.0.lock().unwrap();
        recorded.batches.iter().filter(|(of, _)| of == function).map(|(_, ids)| ids.join(" ")).collect()
    }
}

fn id(record: &Value) -> String {
    record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap().to_owned()
}

impl Invoker for Recorder {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Response {
        let event: Value = serde_json::from_slice(&payload).unwrap();
        let records = event["Records"].as_array().unwrap().clone();
        let ids: Vec<String> = records.iter().map(id).collect();
        let mut recorded = self.0.lock().unwrap();
        let poisoned = logical_id == "First" && recorded.poison.is_some_and(|poison| ids.iter().any(|id| id == poison));
        recorded.batches.push((logical_id.to_owned(), ids));
        recorded.events.push(event);
        let answer = match recorded.answers.pop_front() {
            None if poisoned => Answer::Fails,
            None => Answer::Says(Value::Null),
            Some(answer) => answer,
        };
        match answer {
            Answer::Says(value) => Ok(Bytes::from(value.to_string())),
            Answer::Reports(failed) => {
                let failed = records.iter().filter(|record| failed.contains(&id(record).as_str()));
                let items: Vec<Value> =
                    failed.map(|record| json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] })).collect();
                Ok(Bytes::from(json!({ "batchItemFailures": items }).to_string()))
            }
            Answer::Fails => Err(InvokeError::FunctionError {
                function: logical_id.to_owned(),
                payload: json!({ "errorType": "Poison", "errorMessage": "no" }),
            }),
        }
    }
}

fn options(faults: Faults) -> ReaderOptions {
    ReaderOptions { timing: Timing::default(), failed_batches: None, faults, interceptor: Arc::new(PassThrough) }
}

struct World {
    database: Database,
    template: Template,
}

impl World {
    async fn with(settings: &str, more: &str) -> World {
        let source = TEMPLATE.replace("SETTINGS", settings) + more;
        let template = Template::parse(&source, StackContext::local("demo"), &BTreeMap::new()).unwrap();
        World { database: Database::open(&template, None).await.unwrap(), template }
    }

    async fn put(&self, ids: &str, kind: &str) {
        for id in ids.split(' ') {
            let item = json!({ "id": { "S": id }, "kind": { "S": kind } });
            self.database.call("PutItem", json!({ "TableName": "demo-Log", "Item": item })).await.unwrap();
        }
    }

    async fn start(&self, recorder: &Recorder) -> Streams {
        self.start_under(recorder, Faults::none()).await
    }

    async fn start_under(&self, recorder: &Recorder, faults: Faults) -> Streams {
        let timing = Timing {
            poll: Duration::ZERO,
            first_retry: Duration::from_millis(1),
            longest_retry: Duration::from_millis(2),
        };
        self.start_with(recorder, ReaderOptions { timing, ..options(faults) }).await.unwrap()
    }

    async fn start_with(&self, invoker: &impl Invoker, options: ReaderOptions) -> Result<Streams, StreamsError> {
        Streams::start(&self.template, self.database.clone(), invoker.clone(), options).await
    }
}

#[tokio::test]
async fn records_arrive_in_ordered_batches() {
    let world = World::with("", "").await;
    world.put("a b c d e", "text").await;
    let recorder = Recorder::default();
    let streams = world.start(&recorder).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "e"]);
    world.put("f", "text").await;
    world.put("f", "system").await;
    streams.idle().await;
    assert_eq!(recorder.batches("First")[2..].join(" "), "f f");

    let events = recorder.0.lock().unwrap().events.clone();
    let record = &events.last().unwrap()["Records"].as_array().unwrap().last().unwrap();
    let change = &record["dynamodb"];
    assert_eq!((record["eventName"].as_str(), record["eventSource"].as_str()), (Some("MODIFY"), Some("aws:dynamodb")));
    assert_eq!((record["eventVersion"].as_str(), record["awsRegion"].as_str()), (Some("1.1"), Some("us-east-1")));
    assert_eq!(record["eventSourceARN"], world.template.tables["Log"].stream.as_ref().unwrap().arn.as_str());
    assert_eq!(record["eventID"].as_str().unwrap().len(), 32);
    assert_eq!(change["Keys"], json!({ "id": { "S": "f" } }));
    assert_eq!(change["OldImage"]["kind"], json!({ "S": "text" }));
    assert_eq!(change["NewImage"]["kind"], json!({ "S": "system" }));
    assert_eq!(change["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(change["SequenceNumber"].as_str().unwrap().len(), 21);
    assert!(change["SizeBytes"].is_u64() && change["ApproximateCreationDateTime"].is_u64());
}

#[tokio::test]
async fn readers_of_one_stream_are_independent() {
    let world = World::with("", SECOND).await;
    let recorder = Recorder::failing_on("b");
    world.put("a b", "text").await;
    world.put("c a", "system").await;
    let streams = world.start(&recorder).await;
    // The first function fails on `b` until its reader gives up; that does not affect the second.
    streams.idle().await;
    assert_eq!(recorder.batches("Second"), ["a b"]);
    assert_eq!(recorder.batches("First"), ["a b c a", "a b c a", "a b c a"]);
}

#[tokio::test]
async fn reported_failures_retry_only_the_rest() {
    let world = World::with("FunctionResponseTypes: [ReportBatchItemFailures]", "").await;
    world.put("a b c d", "text").await;
    let recorder = Recorder::answering([Answer::Reports(&["d", "c"]), Answer::Reports(&["c"])]);
    let streams = world.start(&recorder).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "c d", "c d"]);
    assert!(streams.given_up().is_empty());
}

#[tokio::test]
async fn empty_identifiers_retry_the_batch() {
    let world = World::with("FunctionResponseTypes: [ReportBatchItemFailures]", "").await;
    world.put("a b", "text").await;
    let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "" }] });
    let recorder = Recorder::answering([Answer::Says(answer)]);
    let streams = world.start(&recorder).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b", "a b"]);
}

#[tokio::test]
async fn poison_records_go_to_the_destination() {
    let world = World::with("BisectBatchOnFunctionError: true", "").await;
    world.put("a b c d", "text").await;
    let recorder = Recorder::failing_on("c");
    let streams = world.start(&recorder).await;
    world.put("e", "text").await;
    streams.idle().await;
    let batches = recorder.batches("First");
    assert_eq!(batches.iter().filter(|batch| *batch == "c").count(), 3, "{batches:?}");
    assert_eq!(batches.last().map(String::as_str), Some("e"));

    let [given_up] = streams.given_up().try_into().unwrap();
    assert_eq!((given_up.function.as_str(), given_up.condition), ("First", Condition::RetryAttemptsExhausted));
    assert_eq!((given_up.records.len(), given_up.invocations), (1, 3));
    let file = given_up.file.unwrap();
    assert!(file.to_str().unwrap().contains("demo-lost/aws/lambda/"), "{}", file.display());
    let object: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(object["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(object["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(object["DDBStreamBatchInfo"]["startSequenceNumber"], given_up.records[0].as_str());
    let payload: Value = serde_json::from_str(object["payload"].as_str().unwrap()).unwrap();
    assert_eq!(id(&payload["Records"][0]), "c");
    drop(streams);
}

#[tokio::test]
async fn old_records_are_given_up_without_invocation() {
    let world = World::with("MaximumRecordAgeInSeconds: 60", "").await;
    world.put("a", "text").await;
    let mut template = world.template.clone();
    // Shorter than a template allows, so that the record is already too old.
    template.functions.get_mut("First").unwrap().streams[0].maximum_record_age = Some(Duration::ZERO);
    let recorder = Recorder::default();
    let streams =
        Streams::start(&template, world.database.clone(), recorder.clone(), options(Faults::none())).await.unwrap();
    streams.idle().await;
    let given_up = streams.given_up();
    assert_eq!((given_up[0].condition, given_up[0].invocations), (Condition::RecordAgeExceeded, 0));
    assert!(recorder.batches("First").is_empty());
}

#[tokio::test]
async fn last_batch_can_be_redelivered() {
    let world = World::with("", "").await;
    let recorder = Recorder::default();
    let streams = world.start(&recorder).await;
    assert_eq!(streams.redeliver_last().await, 0);
    world.put("a b", "text").await;
    streams.idle().await;
    let before = recorder.batches("First").len();
    streams.pause();
    assert_eq!(streams.redeliver_last().await, 1);
    let batches = recorder.batches("First");
    assert_eq!((batches.len(), batches.last()), (before + 1, batches.get(before - 1)));
}

#[tokio::test]
async fn paused_readers_deliver_nothing_until_resumed() {
    let world = World::with("", "").await;
    let recorder = Recorder::default();
    let streams = world.start(&recorder).await;
    streams.pause();
    world.put("a b", "text").await;
    assert_eq!(streams.redeliver_last().await, 0, "the reader has delivered nothing");
    assert!(recorder.batches("First").is_empty());
    streams.resume();
    streams.idle().await;
    assert_eq!(recorder.batches("First").join(" "), "a b");
}

#[tokio::test]
async fn restarts_continue_at_the_position() {
    let world = World::with("", "").await;
    let recorder = Recorder::default();
    let streams = world.start(&recorder).await;
    world.put("a", "text").await;
    streams.idle().await;
    drop(streams);
    world.put("b", "text").await;
    let streams = world.start(&recorder).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a", "b"]);
}

#[tokio::test]
async fn invalid_filters_are_rejected() {
    let pattern = r#"{"dynamodb": {"NewImage": {"seq": {"N": [{"numeric": [">", 1]}]}}}}"#;
    let filter = &format!("FilterCriteria: {{Filters: [{{Pattern: '{pattern}'}}]}}");
    let world = World::with(filter, "").await;
    let error = world.start_with(&Recorder::default(), options(Faults::none())).await.err().unwrap();
    assert!(
        error.to_string().starts_with(
            "Resources.First.Properties.Events.Log.Properties.FilterCriteria: dynamodb: NewImage: seq: N: `numeric`"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn skipped_records_are_not_delivered() {
    let world = World::with("", SECOND).await;
    let recorder = Recorder::default();
    let streams = world.start(&recorder).await;
    streams.pause();
    world.put("a b c d e f", "text").await;
    streams.skip_written().await;
    streams.idle().await;
    streams.resume();
    world.put("g", "text").await;
    streams.idle().await;
    assert_eq!((recorder.batches("First"), recorder.batches("Second")), (vec!["g".to_owned()], vec!["g".to_owned()]));
}
