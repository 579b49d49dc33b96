//! What an operator sees and can do: failures are counted and logged, whatever the log level, alarms tell of them, and
//! stream records that were given up are replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::routing::post;
use end_to_end::{Client, Consultation, Credential, World, is_count_of, root};
use local_gateway::faults::{Chance, Plan};
use local_gateway::{InvokeError, LogLine, Timing};
use sam_template::{StackContext, Template, read_unresolved};
use serde_json::{Map, Value, json};
use tokio::process::Command;

const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

fn unresolved_template() -> Map<String, Value> {
    read_unresolved(&root().join("template.yaml")).expect("the template can be read")
}

fn template_with(parameters: &[(&str, &str)]) -> Template {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Template::read(&root().join("template.yaml"), StackContext::local("damso"), &parameters).expect("a template")
}

async fn world_that_logs_from(level: &str) -> World {
    World::with(|options| {
        options.parameters.insert("LogLevel".to_owned(), level.to_owned());
    })
    .await
}

/// Has DynamoDB throttle every call of a function.
fn throttle(world: &World, function: &str) {
    let mut plan = Plan::default();
    plan.dynamodb.functions = BTreeSet::from([function.to_owned()]);
    plan.dynamodb.throttled = Chance::of(1.0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
}

/// The lines of a function that Lambda passes on to CloudWatch: of JSON lines, those from the level that the template
/// sets. One without a level counts as INFO.
fn stored_lines<'l>(logged: &'l [LogLine], function: &str, log_level: &str) -> Vec<&'l LogLine> {
    let setting = &unresolved_template()["Globals"]["Function"]["LoggingConfig"]["ApplicationLogLevel"];
    let least = setting.as_str().unwrap_or(log_level);
    let severity = |level: &str| LEVELS.iter().position(|known| *known == level).expect("a level of Lambda");
    let is_stored = |line: &&LogLine| {
        let Ok(Value::Object(fields)) = serde_json::from_str(&line.line) else { return true };
        let level = fields.get("level").and_then(Value::as_str).unwrap_or("INFO");
        severity(level) >= severity(least)
    };
    logged.iter().filter(|line| line.function == function).filter(is_stored).collect()
}

/// The lines of errors.
fn errors(lines: &[&LogLine]) -> Vec<Value> {
    let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(&line.line).ok());
    parsed.filter(|line| line["level"] == "ERROR").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_is_counted_and_located_at_every_log_level() {
    for level in ["ERROR", "TRACE"] {
        let world = world_that_logs_from(level).await;
        let Consultation { room, mut patient, .. } = world.consultation().await;
        throttle(&world, "GetChatHistoryFunction");
        patient.refused("getChatHistory", json!({"room_id": room}), "internal").await;
        patient.refused("getChatHistory", json!({"room_id": "Geheimnis"}), "bad_request").await;
        let connection = world.gateway.connection_ids();
        let logged = world.end().await;
        let lines = stored_lines(&logged, "GetChatHistoryFunction", level);
        for metric in ["Failed", "Throttled"] {
            assert!(lines.iter().any(|line| is_count_of(line, metric)), "{level}: {metric} is counted in {lines:#?}");
        }
        let errors = errors(&lines);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let span = &errors[0]["span"];
        assert_eq!((&errors[0]["room"], &span["action"]), (&json!(room), &json!("getChatHistory")), "{errors:#?}");
        assert!(connection.iter().any(|id| span["connection_id"] == **id), "{errors:#?}");
        assert!(span["lambda_request_id"].as_str().is_some_and(|id| !id.is_empty()), "{errors:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_handshake_is_no_error() {
    let world = world_that_logs_from("INFO").await;
    assert_eq!(world.try_connect("no token", Credential::Header).await.expect_err("no token").status, 401);
    let logged = world.end().await;
    let lines = stored_lines(&logged, "AuthorizerFunction", "INFO");
    assert_eq!(errors(&lines), Vec::<Value>::new());
    assert!(lines.iter().any(|line| line.line.contains("refused a connection")), "{lines:#?}");
    assert!(!lines.iter().any(|line| is_count_of(line, "Failed")), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_handshake_is_logged_once_and_counted() {
    let world = world_that_logs_from("ERROR").await;
    throttle(&world, "AuthorizerFunction");
    let token = world.token(&testkit::people::patient());
    assert_eq!(world.try_connect(&token, Credential::Header).await.expect_err("no answer").status, 500);
    let logged = world.end().await;
    let lines = stored_lines(&logged, "AuthorizerFunction", "ERROR");
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0]["api_request_id"].is_string(), "{errors:#?}");
    assert!(lines.iter().any(|line| is_count_of(line, "Failed")), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn function_that_cannot_start_counts_as_failed() {
    let world = World::with(|options| {
        options.environment.insert("COSTLY_PER_MINUTE".to_owned(), "many".to_owned());
    })
    .await;
    let error = world.gateway.invoke("CreateRoomFunction", json!({})).await.expect_err("it cannot start");
    assert!(matches!(error, InvokeError::Crashed { .. }), "{error}");
    let logged = world.end().await;
    let lines = stored_lines(&logged, "CreateRoomFunction", "INFO");
    assert!(lines.iter().any(|line| is_count_of(line, "Failed")), "{lines:#?}");
    assert!(errors(&lines).iter().any(|line| line["message"] == "failed to start"), "{lines:#?}");
}

#[test]
fn every_alarm_notifies_the_topic() {
    let template = unresolved_template();
    let resources = template["Resources"].as_object().expect("resources");
    let alarms: Vec<_> = resources.iter().filter(|(_, one)| one["Type"] == "AWS::CloudWatch::Alarm").collect();
    let topic = json!({"Fn::If": ["NotifiesAlarms", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]});
    for (name, alarm) in &alarms {
        assert_eq!(alarm["Properties"]["AlarmActions"], topic, "{name}");
        assert_eq!(alarm["Properties"]["TreatMissingData"], "notBreaching", "{name}: silence is no outage");
    }
    let watched = |metric: &str| alarms.iter().any(|(_, alarm)| alarm.to_string().contains(&format!("\"{metric}\"")));
    // Of AWS; `shared` has a test for our own.
    for metric in ["IteratorAge", "Throttles", "DestinationDeliveryFailures", "ExecutionError"] {
        assert!(watched(metric), "{metric}");
    }
}

#[test]
fn standing_cost_in_the_documents_is_current() {
    let template = unresolved_template();
    let resources = template["Resources"].as_object().expect("resources");
    let count = |kind: &str| resources.values().filter(|one| one["Type"] == kind).count();
    // Each metric that an alarm watches is billed.
    let watched = |alarm: &Value| match alarm["Properties"]["Metrics"].as_array() {
        Some(metrics) => metrics.iter().filter(|metric| metric["MetricStat"].is_object()).count(),
        None => 1,
    };
    let alarms = resources.values().filter(|one| one["Type"] == "AWS::CloudWatch::Alarm").map(watched).sum::<usize>();
    let secrets = count("AWS::SecretsManager::Secret");
    let dollars = |cents: usize| format!("{}.{:02}", cents / 100, cents % 100);
    let (for_secrets, for_alarms) = (40 * secrets, 10 * alarms);
    let expected = format!(
        "**${} a month** while nobody talks, in us-east-1: ${} for three secrets ($0.40 each) and ${} for {alarms} alarm \
         metrics",
        dollars(for_secrets + for_alarms),
        dollars(for_secrets),
        dollars(for_alarms),
    );
    let page = std::fs::read_to_string(root().join("docs/deployment.md")).expect("the page can be read");
    assert!(page.replace('\n', " ").contains(&expected), "{expected}");
}

#[test]
fn boundary_limits_what_sam_adds() {
    let template = unresolved_template();
    assert_eq!(template["Globals"]["Function"]["PermissionsBoundary"], json!({"Ref": "FunctionBoundary"}));
    let document = &template["Resources"]["FunctionBoundary"]["Properties"]["PolicyDocument"];
    // The actions of AWSLambdaBasicExecutionRole and AWSLambdaDynamoDBExecutionRole, which both allow on all resources.
    // Listing streams is left: it has no resource.
    let stream = json!({"Fn::GetAtt": ["MessagesTable", "StreamArn"]});
    let logs = json!({"Fn::Sub":
        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/${AWS::StackName}/*"});
    for (actions, resource) in [
        (vec!["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], stream),
        (vec!["logs:*"], logs),
    ] {
        let statements = document["Statement"].as_array().expect("statements");
        let denial = statements.iter().find(|one| one["NotResource"] == resource).expect("all other resources");
        let denied = denial["Action"].as_array().cloned().unwrap_or_else(|| vec![denial["Action"].clone()]);
        assert_eq!((denial["Effect"].as_str(), denied), (Some("Deny"), actions.into_iter().map(Value::from).collect()));
    }
}

#[test]
fn concurrency_is_reserved_only_on_request() {
    let reserved = |template: &Template| {
        let functions = template.functions.values();
        let reserved = functions.filter_map(|one| Some((one.logical_id.clone(), one.reserved_concurrency?)));
        reserved.collect::<BTreeMap<String, u32>>()
    };
    assert_eq!(reserved(&template_with(&[])), BTreeMap::new());
    let parameters = [("AuthorizerConcurrency", "20"), ("ConnectConcurrency", "30"), ("FanOutConcurrency", "4")];
    let expected = [("AuthorizerFunction", 20), ("ConnectFunction", 30), ("FanOutFunction", 4)];
    let expected = expected.map(|(function, executions)| (function.to_owned(), executions));
    assert_eq!(reserved(&template_with(&parameters)), BTreeMap::from(expected));
}

#[test]
fn stream_retries_are_bounded_by_an_hour() {
    let template = template_with(&[]);
    let streams: Vec<_> = template.functions.values().flat_map(|function| &function.streams).collect();
    assert_eq!(streams.len(), 2);
    for stream in streams {
        assert!(stream.maximum_retry_attempts.is_none_or(|retries| retries >= 100), "{stream:?}");
        assert_eq!(stream.maximum_record_age, Some(Duration::from_secs(3_600)), "{stream:?}");
    }
}

/// Retries that begin soon.
const FAST: Timing =
    Timing { poll: Duration::ZERO, first_retry: Duration::from_millis(1), longest_retry: Duration::from_millis(10) };

#[tokio::test(flavor = "multi_thread")]
async fn message_survives_a_brown_out() {
    let world = World::with(|options| {
        options.parameters.insert("ExpressLimit".to_owned(), "0".to_owned());
        options.streams = FAST;
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    let mut plan = Plan::default();
    plan.lambda.functions = BTreeSet::from(["FanOutFunction".to_owned()]);
    plan.lambda.killed = Chance::of(1.0).at_most(20).for_ms(0..=0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    patient.say(&room, "119").await;
    hospital.hears("119").await;
    world.settled().await;
}

/// A stack that gives up a stream record after its first retry and keeps it below `data`.
async fn world_that_gives_up(data: &Path) -> World {
    let template = std::fs::read_to_string(root().join("template.yaml")).expect("the template can be read");
    let hasty = template.replace("MaximumRetryAttempts: 500", "MaximumRetryAttempts: 1");
    assert_ne!(hasty, template);
    let file = data.join("template.yaml");
    std::fs::write(&file, hasty).expect("a file can be written");
    World::with(|options| {
        options.template = file;
        options.data = Some(data.to_owned());
        options.parameters.insert("ExpressLimit".to_owned(), "0".to_owned());
        options.streams = FAST;
    })
    .await
}

/// Invokes a function by its ARN, as `aws lambda invoke` does.
async fn invoke(State(world): State<Arc<World>>, UrlPath(arn): UrlPath<String>, payload: Bytes) -> String {
    let mut functions = world.template().functions.values();
    let function = functions.find(|function| arn.trim_end_matches(":$LATEST") == function.arn).expect("a function");
    let payload = serde_json::from_slice(&payload).expect("JSON");
    match world.gateway.invoke(&function.logical_id, payload).await {
        Ok(answer) => answer.to_string(),
        Err(error) => json!({"errorMessage": error.to_string()}).to_string(),
    }
}

/// A stand-in for the AWS CLI: buckets are folders, and functions are invoked at a port of this machine.
const AWS: &str = r#"#!/usr/bin/env bash
set -euo pipefail
case "$1 $2" in
"s3 cp") from="$BUCKETS/${5#s3://}"; [[ ! -d "$from" ]] || cp -r "$from" "$6" ;;
"s3 rm") rm "$BUCKETS/${4#s3://}" ;;
"lambda invoke")
    payload="${6#fileb://}"
    exec 3<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'POST /%s HTTP/1.0\r\ncontent-length: %d\r\n\r\n' "$4" "$(wc -c <"$payload")" >&3
    cat "$payload" >&3
    sed '1,/^\r$/d' <&3 >"$9" ;;
*) echo "unexpected: aws $*" >&2; exit 1 ;;
esac
"#;

/// Runs `scripts/replay-failed-records`; returns whether it has replayed everything.
async fn replay(world: &Arc<World>, data: &Path) -> bool {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let router = Router::new().route("/{arn}", post(invoke)).with_state(world.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let commands = data.join("commands");
    std::fs::create_dir_all(&commands).expect("a folder can be made");
    std::fs::write(commands.join("aws"), AWS).expect("a file can be written");
    let status = Command::new("bash")
        .arg("-c")
        .arg("chmod +x \"$1/aws\" && PATH=\"$1:$PATH\" exec scripts/replay-failed-records \"$2\"")
        .args([Path::new("replay"), &commands])
        .arg(world.table("FailedRecordsBucket"))
        .current_dir(root())
        .env("BUCKETS", data.join("failed-batches"))
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .status()
        .await
        .expect("bash can be started");
    server.abort();
    status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_records_are_replayed() {
    let data = tempfile::tempdir().expect("a folder can be made");
    let world = Arc::new(world_that_gives_up(data.path()).await);
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    assert!(replay(&world, data.path()).await, "there is nothing to replay");
    throttle(&world, "FanOutFunction");
    patient.say(&room, "119").await;
    world.gateway.streams().idle().await;
    let given_up = world.gateway.streams().given_up();
    assert_eq!(given_up.len(), 1, "{given_up:?}");
    let kept = given_up[0].file.clone().expect("the record is kept");

    assert!(!replay(&world, data.path()).await, "DynamoDB still throttles");
    assert!(kept.exists());
    world.gateway.faults().set(Plan::default()).expect("an empty plan");
    assert!(replay(&world, data.path()).await);
    assert!(!kept.exists());
    hospital.hears("119").await;
    let mut late: Client = world.connect(&testkit::people::coordinator()).await;
    let listed = late.ask("getRoomList", json!({})).await;
    assert_eq!(listed["rooms"][0]["last_message"]["message"], "119", "{listed}");
}
