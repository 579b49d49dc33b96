//! Functions as processes: real binaries with the real runtime, through the Runtime API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use local_gateway::faults::Faults;
use local_gateway::lambda::{Binaries, Functions, InvokeError, Log, LogSink};
use serde_json::{Value, json};

mod stack;

struct Lambda {
    functions: Functions,
    invocations: Arc<AtomicUsize>,
}

impl Lambda {
    /// One function `F` with the echo binary and more properties.
    async fn with(properties: &str, environment: &[(&str, &str)]) -> Lambda {
        let template = stack::template(&format!(
            "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: crates/echo
{properties}"
        ));
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let invocations = Arc::new(AtomicUsize::new(0));
        let counted = invocations.clone();
        let functions = Functions::start(
            &template,
            &Binaries::Built { directory: stack::binaries() },
            &BTreeMap::from([("F".to_owned(), stack::lambda_environment(environment))]),
            Log::open(&LogSink::Collect).unwrap(),
            Faults::none(),
            move |function| {
                assert_eq!(function, "F");
                counted.fetch_add(1, Ordering::SeqCst);
            },
        )
        .await
        .unwrap();
        Lambda { functions, invocations }
    }

    async fn start() -> Lambda {
        Lambda::with("      Timeout: 30\n", &[]).await
    }

    async fn invoke(&self, payload: Value) -> Result<Value, InvokeError> {
        invoke(self.functions.clone(), payload).await
    }

    async fn pid(&self) -> u64 {
        self.invoke(json!({})).await.unwrap()["pid"].as_u64().unwrap()
    }
}

async fn invoke(functions: Functions, payload: Value) -> Result<Value, InvokeError> {
    functions.invoke("F", payload.to_string().into()).await.map(|result| serde_json::from_slice(&result).unwrap())
}

#[tokio::test]
async fn invocations_are_counted() {
    let lambda = Lambda::start().await;
    assert_eq!(lambda.invoke(json!({"a": "담소"})).await.unwrap()["echo"], json!({"a": "담소"}));
    assert_eq!(lambda.invocations.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn idle_processes_are_reused() {
    let lambda = Lambda::start().await;
    let first = lambda.pid().await;
    assert_eq!(lambda.pid().await, first);
    assert_eq!(lambda.invoke(json!({"do": "fail"})).await.unwrap_err().error_message(), "as asked");
    assert_eq!(lambda.pid().await, first, "an error does not end the process");
}

#[tokio::test]
async fn at_most_ten_processes_run() {
    let lambda = Lambda::with("      Timeout: 30\n", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let meet = json!({"do": "meet", "count": 10, "folder": folder.path()});
    let all: Vec<_> = (0..12).map(|_| tokio::spawn(invoke(lambda.functions.clone(), meet.clone()))).collect();
    let mut pids = BTreeSet::new();
    for one in all {
        pids.insert(one.await.unwrap().unwrap()["pid"].as_u64().unwrap());
    }
    assert_eq!(pids.len(), 10);
}

#[tokio::test]
async fn reserved_concurrency_limits_processes() {
    let lambda = Lambda::with("      Timeout: 30\n      ReservedConcurrentExecutions: 1\n", &[]).await;
    let all: Vec<_> = (0..5).map(|_| tokio::spawn(invoke(lambda.functions.clone(), json!({})))).collect();
    let mut pids = BTreeSet::new();
    for one in all {
        pids.insert(one.await.unwrap().unwrap()["pid"].as_u64().unwrap());
    }
    assert_eq!(pids.len(), 1);
}

#[tokio::test]
async fn abandoned_invocations_leave_the_queue() {
    let lambda = Lambda::with("      Timeout: 30\n      ReservedConcurrentExecutions: 1\n", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let meet = |count| json!({"do": "meet", "count": count, "folder": folder.path()});
    // Holds the only process until another file appears.
    let first = tokio::spawn(invoke(lambda.functions.clone(), meet(2)));
    while lambda.invocations.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let abandoned = tokio::spawn(invoke(lambda.functions.clone(), json!({})));
    tokio::task::yield_now().await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    std::fs::write(folder.path().join("another"), "").unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(lambda.invoke(json!({"last": true})).await.unwrap()["echo"], json!({"last": true}));
    assert_eq!(lambda.invocations.load(Ordering::SeqCst), 2, "the abandoned invocation never started");
}

#[tokio::test]
async fn crashed_processes_are_replaced() {
    let lambda = Lambda::start().await;
    let before = lambda.pid().await;
    let error = lambda.invoke(json!({"do": "die"})).await.unwrap_err();
    assert!(matches!(error, InvokeError::Crashed { .. }));
    assert_eq!(error.error_type(), "Runtime.ExitError");
    assert!(error.error_message().ends_with("Error: Runtime exited with error: exit status 3"), "{error}");
    assert!(error.error_message().starts_with("RequestId: "), "{error}");
    assert_ne!(lambda.pid().await, before);

    let error = lambda.invoke(json!({"do": "abort"})).await.unwrap_err();
    assert!(error.error_message().ends_with("signal: aborted"), "{error}");
}

#[tokio::test]
async fn death_while_idle_fails_no_invocation() {
    let lambda = Lambda::start().await;
    let before = lambda.pid().await;
    stack::kill(before);
    lambda.functions.log().logged(|line| line.line == "Runtime exited with error: signal: killed").await;
    assert_ne!(lambda.pid().await, before);
}

#[tokio::test]
async fn timeouts_kill_the_process() {
    let lambda = Lambda::with("      Timeout: 3\n", &[]).await;
    let before = lambda.pid().await;
    let error = lambda.invoke(json!({"do": "hang"})).await.unwrap_err();
    assert!(matches!(error, InvokeError::TimedOut { .. }));
    assert!(error.error_message().ends_with("Task timed out after 3.00 seconds"), "{error}");
    stack::ended(before).await;
    assert_ne!(lambda.pid().await, before);
}

#[tokio::test]
async fn running_invocations_outlive_their_caller() {
    let lambda = Lambda::with("      Timeout: 30\n      ReservedConcurrentExecutions: 1\n", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let waiting = tokio::spawn(invoke(lambda.functions.clone(), json!({"do": "wait", "file": file})));
    let started = lambda.functions.log().logged(|line| line.line.starts_with("started ")).await;
    waiting.abort();
    std::fs::write(&file, "").unwrap();
    // The next invocation runs after the first one, in the same process.
    assert_eq!(format!("started {}", lambda.pid().await), started.line);
}

#[tokio::test]
async fn death_at_start_fails_the_invocation() {
    let lambda = Lambda::with("      Timeout: 30\n", &[("DIES_AT_START", "1")]).await;
    let error = lambda.invoke(json!({})).await.unwrap_err();
    assert!(error.error_message().ends_with("Runtime exited with error: exit status 7"), "{error}");
}

#[tokio::test]
async fn oversized_results_are_errors() {
    let error = Lambda::start().await.invoke(json!({"do": "large"})).await.unwrap_err();
    assert_eq!(error.error_type(), "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn functions_get_only_their_environment() {
    let lambda = Lambda::with("      Timeout: 30\n", &[("TABLE", "messages")]).await;
    let environment = lambda.invoke(json!({"do": "environment"})).await.unwrap();
    assert_eq!(environment["TABLE"], "messages");
    assert!(environment["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap().contains("[$LATEST]"));
    assert!(environment["CARGO_MANIFEST_DIR"].is_null() && environment["HOME"].is_null());
}

#[tokio::test]
async fn invocations_have_a_context() {
    let lambda = Lambda::with("      Timeout: 7\n", &[]).await;
    let before = now_ms();
    let context = lambda.invoke(json!({"do": "context"})).await.unwrap();
    let deadline = context["deadline"].as_u64().unwrap();
    assert!(deadline >= before + 7_000 && deadline <= now_ms() + 7_000, "{context}");
    assert_eq!(context["arn"], "arn:aws:lambda:us-east-1:123456789012:function:test-F");
    assert_eq!(context["request_id"].as_str().unwrap().len(), 36);
    assert!(context["trace"].as_str().unwrap().starts_with("Root=1-"));
}

#[tokio::test]
async fn unknown_functions_are_errors() {
    let lambda = Lambda::start().await;
    let error = lambda.functions.invoke("G", "{}".into()).await.unwrap_err();
    assert_eq!(error, InvokeError::UnknownFunction("G".into()));
}

#[tokio::test]
async fn unstartable_binaries_are_named() {
    let template = stack::template(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: crates/nobody\n",
    );
    let directory = PathBuf::from("/nowhere");
    let missing = local_gateway::lambda::missing_binary(&template, &directory).unwrap();
    assert!(missing.to_string().contains("cargo build --bin nobody"), "{missing}");
    let log = Log::open(&LogSink::Discard).unwrap();
    let functions =
        Functions::start(&template, &Binaries::Built { directory }, &BTreeMap::new(), log, Faults::none(), |_| {})
            .await
            .unwrap();
    let error = functions.invoke("F", "{}".into()).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to start F: /nowhere/nobody: "), "{error}");
}

#[tokio::test]
async fn shutdown_ends_processes_and_rejects_invocations() {
    let lambda = Lambda::with("      Timeout: 60\n", &[]).await;
    let idle = lambda.pid().await;
    let hang = || tokio::spawn(invoke(lambda.functions.clone(), json!({"do": "hang"})));
    let hanging = [hang(), hang()];
    // Once its line appears, the second process has started; the first one hangs or is about to.
    let second = lambda.functions.log().logged(|line| line.line != format!("started {idle}")).await;
    lambda.functions.shut_down().await;
    for one in hanging {
        assert_eq!(one.await.unwrap().unwrap_err(), InvokeError::Stopped);
    }
    stack::ended(idle).await;
    stack::ended(second.line["started ".len()..].parse().unwrap()).await;
    assert_eq!(lambda.invoke(json!({})).await.unwrap_err(), InvokeError::Stopped);
}

fn now_ms() -> u64 {
    u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}
