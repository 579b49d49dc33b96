//! The endpoint as a function sees it: through the real SDKs.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnConsumedCapacity, TransactWriteItem};

mod faults;

use super::*;
use crate::dynamodb::Database;
use crate::faults::{Kind, Plan};
use crate::interceptor::PassThrough;
use crate::ledger::{CallCounts, Ledger, OUTSIDE};
use crate::secrets::Secrets;
use sam_template::{StackContext, Template};

const TEMPLATE: &str = "
Resources:
  Writer:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: writer
      Policies: [{Statement: {Effect: Allow, Action: 'dynamodb:*', Resource: '*'}}]
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: reader
      Policies: [{Statement: {Effect: Allow, Action: 'secretsmanager:*', Resource: '*'}}]
  Key: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - {AttributeName: book, AttributeType: S}
        - {AttributeName: seq, AttributeType: N}
        - {AttributeName: tag, AttributeType: S}
      KeySchema: [{AttributeName: book, KeyType: HASH}, {AttributeName: seq, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: by-tag
          KeySchema: [{AttributeName: tag, KeyType: HASH}, {AttributeName: seq, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Drafts:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
";

struct World {
    template: Template,
    endpoint: AwsEndpoint,
    ledger: Ledger,
    identities: Identities,
    faults: Faults,
}

impl World {
    async fn start() -> World {
        World::with(Plan::default()).await
    }

    async fn with(plan: Plan) -> World {
        World::intercepted(plan, Arc::new(PassThrough)).await
    }

    async fn intercepted(plan: Plan, interceptor: Arc<dyn Interceptor>) -> World {
        let template = Template::parse(TEMPLATE, StackContext::local("demo"), &BTreeMap::new()).unwrap();
        let database = Database::open(&template, None).await.unwrap();
        let secrets = Secrets::of(&template, &BTreeMap::new(), None).unwrap();
        let identities = Identities::of(&template);
        let ledger = Ledger::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let faults = Faults::of(&template, plan).unwrap();
        let iam = Iam::of(&template);
        let services = Services { database, secrets, ledger: ledger.clone() };
        let endpoint =
            AwsEndpoint::start(listener, services, interceptor, identities.clone(), iam, faults.clone()).unwrap();
        World { template, endpoint, ledger, identities, faults }
    }

    fn dynamodb(&self, access_key_id: &str) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(access_key_id, "secret", None, None, "test"))
            .endpoint_url(self.endpoint.url())
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    fn writer(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb(self.identities.access_key_id("Writer").unwrap())
    }

    fn calls(&self, function: &str) -> BTreeMap<String, CallCounts> {
        self.ledger.snapshot().function(function).calls
    }
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put(seq: u64, text: &str) -> Put {
    Put::builder()
        .table_name("demo-Notes")
        .item("book", s("a"))
        .item("seq", n(seq))
        .item("text", s(text))
        .condition_expression("attribute_not_exists(book)")
        .return_values_on_condition_check_failure(aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap()
}

#[tokio::test]
async fn queries_are_paginated() {
    let world = World::start().await;
    let client = world.writer();
    for seq in 1..=5 {
        let request = client.put_item().table_name("demo-Notes").item("book", s("a")).item("tag", s("t"));
        request.item("seq", n(seq)).send().await.unwrap();
    }
    let query = || {
        let query = client.query().table_name("demo-Notes").key_condition_expression("book = :b");
        query.expression_attribute_values(":b", s("a")).consistent_read(true).scan_index_forward(false).limit(3)
    };
    let first = query().send().await.unwrap();
    let seqs = |items: &[std::collections::HashMap<String, AttributeValue>]| -> Vec<AttributeValue> {
        items.iter().map(|item| item["seq"].clone()).collect()
    };
    assert_eq!(seqs(first.items()), [n(5), n(4), n(3)]);
    let second = query().set_exclusive_start_key(first.last_evaluated_key().cloned()).send().await.unwrap();
    assert_eq!(seqs(second.items()), [n(2), n(1)]);
    assert!(second.last_evaluated_key().is_none());
    let by_tag = client.query().table_name("demo-Notes").index_name("by-tag").key_condition_expression("tag = :t");
    assert_eq!(by_tag.expression_attribute_values(":t", s("t")).send().await.unwrap().count(), 5);
}

#[tokio::test]
async fn ledger_counts_calls_and_units() {
    let world = World::start().await;
    let writer = world.writer();
    let answer =
        writer.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(1)).send().await.unwrap();
    assert!(answer.consumed_capacity().is_none(), "the capacity was not requested");
    let answer = writer
        .get_item()
        .table_name("demo-Notes")
        .key("book", s("a"))
        .key("seq", n(1))
        .consistent_read(true)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.consumed_capacity().unwrap().capacity_units(), Some(1.0));
    let stranger = world.dynamodb("AKIASTRANGER");
    stranger.get_item().table_name("demo-Notes").key("book", s("a")).key("seq", n(1)).send().await.unwrap();

    let call = |read_units, write_units| CallCounts { calls: 1, refused: 0, read_units, write_units };
    let expected =
        [("dynamodb:GetItem Notes".to_owned(), call(1.0, 0.0)), ("dynamodb:PutItem Notes".to_owned(), call(0.0, 1.0))];
    assert_eq!(world.calls("Writer"), expected.into());
    assert_eq!(world.calls(OUTSIDE), [("dynamodb:GetItem Notes".to_owned(), call(0.5, 0.0))].into());
    assert!(world.calls("Reader").is_empty());
}

fn cancelled(error: &TransactWriteItemsError) -> Option<&TransactionCanceledException> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(error) => Some(error),
        _ => None,
    }
}

#[tokio::test]
async fn cancelled_transactions_return_the_row() {
    let world = World::start().await;
    let client = world.writer();
    let transact = |seq: u64, text: &str| {
        let item = TransactWriteItem::builder().put(put(seq, text)).build();
        let other = TransactWriteItem::builder().put(put(seq + 100, text)).build();
        client.transact_write_items().transact_items(item).transact_items(other)
    };
    transact(1, "first").send().await.unwrap();
    let error = transact(1, "second").send().await.unwrap_err().into_service_error();
    let reason = &cancelled(&error).unwrap().cancellation_reasons()[0];
    assert_eq!(reason.code(), Some("ConditionalCheckFailed"));
    assert_eq!(reason.item().unwrap()["text"], s("first"));
    let counts = world.calls("Writer")["dynamodb:TransactWriteItems Notes"];
    assert_eq!(counts, CallCounts { calls: 2, refused: 1, read_units: 0.0, write_units: 4.0 });
}

#[tokio::test]
async fn repeated_tokens_perform_once() {
    let world = World::start().await;
    let client = world.writer();
    let transact = |text: &str| {
        let item = TransactWriteItem::builder().put(put(1, text)).build();
        client.transact_write_items().transact_items(item).client_request_token("token-1")
    };
    transact("once").send().await.unwrap();
    transact("once").send().await.unwrap();
    let error = transact("other").send().await.unwrap_err();
    assert_eq!(error.code(), Some("IdempotentParameterMismatchException"));
}

#[tokio::test]
async fn sdk_recognizes_errors() {
    let world = World::start().await;
    let client = world.writer();
    let get = |table: &str| client.get_item().table_name(table).key("book", s("a")).key("seq", n(1));
    assert!(get("demo-Nothing").send().await.unwrap_err().into_service_error().is_resource_not_found_exception());
    let wrong_key = client.get_item().table_name("demo-Notes").key("book", n(1)).send().await.unwrap_err();
    assert_eq!(wrong_key.code(), Some("ValidationException"));
    let create = client.delete_table().table_name("demo-Notes").send().await.unwrap_err();
    assert_eq!(create.code(), Some("UnknownOperationException"));
    let request = client.put_item().table_name("demo-Notes").item("book", s("a")).item("seq", n(1));
    request.clone().send().await.unwrap();
    let error = request.condition_expression("attribute_not_exists(book)").send().await.unwrap_err();
    assert!(error.into_service_error().is_conditional_check_failed_exception());
}

#[tokio::test]
async fn arns_equal_the_templates() {
    let world = World::start().await;
    let client = world.writer();
    let table = &world.template.tables["Notes"];
    let described = client.describe_table().table_name(&table.arn).send().await.unwrap();
    let described = described.table().unwrap();
    assert_eq!(described.table_arn(), Some(table.arn.as_str()));
    assert_eq!(described.latest_stream_arn(), table.stream.as_ref().map(|stream| stream.arn.as_str()));
    let index = described.global_secondary_indexes()[0].index_arn().unwrap();
    assert_eq!(index, format!("{}/index/by-tag", table.arn));
}

#[tokio::test]
async fn secrets_share_the_endpoint() {
    let world = World::start().await;
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(
            world.identities.access_key_id("Reader").unwrap(),
            "s",
            None,
            None,
            "test",
        ))
        .endpoint_url(world.endpoint.url())
        .build();
    let client = aws_sdk_secretsmanager::Client::from_conf(config);
    let secret = &world.template.secrets["Key"];
    let value = client.get_secret_value().secret_id(&secret.arn).send().await.unwrap();
    assert_eq!(value.secret_string().unwrap().chars().count(), 32);
    assert_eq!(value.name(), Some(secret.name.as_str()));
    let error = client.get_secret_value().secret_id("nothing").send().await.unwrap_err();
    assert!(error.into_service_error().is_resource_not_found_exception());
    let counts = world.calls("Reader");
    assert_eq!(counts["secretsmanager:GetSecretValue Key"].calls, 1);
    assert_eq!(counts["secretsmanager:GetSecretValue"].refused, 1);
}

#[tokio::test]
async fn denied_calls_are_free_of_faults() {
    let mut plan = Plan::default();
    plan.dynamodb.failed_before = crate::faults::Chance::of(1.0);
    let world = World::with(plan).await;
    let reader = world.dynamodb(world.identities.access_key_id("Reader").unwrap());
    let key = [("book".to_owned(), s("a")), ("seq".to_owned(), n(1))].into();
    let error = reader.get_item().table_name("demo-Notes").set_key(Some(key)).send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    let message = error.message().unwrap();
    assert!(message.ends_with("because no identity-based policy allows the dynamodb:GetItem action"), "{message}");
    assert!(world.calls("Reader").is_empty());
    assert!(world.faults.counts().is_empty());
    let stranger = world.dynamodb("AKIASTRANGER");
    stranger.list_tables().send().await.expect("clients other than functions may do everything");
}

#[tokio::test]
async fn malformed_calls_are_rejected() {
    let world = World::start().await;
    let client = reqwest::Client::new();
    let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20261120/us-east-1/dynamodb/aws4_request";
    for (target, authorization, body, code) in [
        ("DynamoDB_20120810.GetItem", "", "{}", "MissingAuthenticationTokenException"),
        ("DynamoDB_20120810.GetItem", "Bearer x", "{}", "MissingAuthenticationTokenException"),
        ("DynamoDBStreams_20120810.ListStreams", "", "{}", "MissingAuthenticationTokenException"),
        ("secretsmanager.GetSecretValue", "", "{}", "MissingAuthenticationTokenException"),
        ("DynamoDB_20120810.GetItem", signed, "[]", "SerializationException"),
        ("DynamoDB_20120810.GetItem", signed, "{", "SerializationException"),
        ("DynamoDB_20120810.GetItem", signed, "{}", "ValidationException"),
        ("DynamoDB_20120810.Nothing", signed, "{}", "UnknownOperationException"),
        ("SQS.SendMessage", signed, "{}", "UnknownOperationException"),
        ("", signed, "{}", "UnknownOperationException"),
    ] {
        let request =
            client.post(world.endpoint.url()).header("x-amz-target", target).header("authorization", authorization);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{target}");
        assert!(answer.headers().contains_key("x-amzn-requestid"));
        let body: Value = answer.json().await.unwrap();
        assert!(body["__type"].as_str().unwrap().ends_with(code), "{target} {body}");
    }
}
