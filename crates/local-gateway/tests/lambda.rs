//! Functions as processes: real binaries on the real runtime, through the Runtime API.

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
    /// One function `F` on the echo binary, with what its template says besides.
    async fn with(properties: &str, environment: &[(&str, &str)]) -> Lambda {
        let template = stack::template(&format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: crates/echo\n{properties}"
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

    async fn plain() -> Lambda {
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
async fn a_result_comes_back_and_is_counted() {
    let lambda = Lambda::plain().await;
    assert_eq!(lambda.invoke(json!({"a": "담소"})).await.unwrap()["echo"], json!({"a": "담소"}));
    assert_eq!(lambda.invocations.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_idle_process_is_used_again_and_the_last_one_first() {
    let lambda = Lambda::plain().await;
    let first = lambda.pid().await;
    assert_eq!(lambda.pid().await, first);
    assert_eq!(lambda.invoke(json!({"do": "fail"})).await.unwrap_err().error_message(), "as asked");
    assert_eq!(lambda.pid().await, first, "an error is an answer, not the end of the process");
}

#[tokio::test]
async fn as_many_processes_run_as_there_are_invocations_at_once_and_no_more_than_ten() {
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
async fn reserved_concurrency_makes_invocations_wait_their_turn() {
    let lambda = Lambda::with("      Timeout: 30\n      ReservedConcurrentExecutions: 1\n", &[]).await;
    let all: Vec<_> = (0..5).map(|_| tokio::spawn(invoke(lambda.functions.clone(), json!({})))).collect();
    let mut pids = BTreeSet::new();
    for one in all {
        pids.insert(one.await.unwrap().unwrap()["pid"].as_u64().unwrap());
    }
    assert_eq!(pids.len(), 1);
}

#[tokio::test]
async fn an_invocation_that_nobody_waits_for_any_more_leaves_the_queue() {
    let lambda = Lambda::with("      Timeout: 30\n      ReservedConcurrentExecutions: 1\n", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let meet = |count| json!({"do": "meet", "count": count, "folder": folder.path()});
    // The first one holds the only place until somebody else is there.
    let first = tokio::spawn(invoke(lambda.functions.clone(), meet(2)));
    while lambda.invocations.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let given_up = tokio::spawn(invoke(lambda.functions.clone(), json!({})));
    tokio::task::yield_now().await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    std::fs::write(folder.path().join("somebody else"), "").unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(lambda.invoke(json!({"last": true})).await.unwrap()["echo"], json!({"last": true}));
    assert_eq!(lambda.invocations.load(Ordering::SeqCst), 2, "who was given up was never begun");
}

#[tokio::test]
async fn a_process_that_dies_fails_its_invocation_and_is_replaced() {
    let lambda = Lambda::plain().await;
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
async fn a_process_that_died_while_idle_costs_no_invocation() {
    let lambda = Lambda::plain().await;
    let before = lambda.pid().await;
    stack::kill(before);
    lambda.functions.log().logged(|line| line.line == "Runtime exited with error: signal: killed").await;
    assert_ne!(lambda.pid().await, before);
}

#[tokio::test]
async fn an_invocation_that_overruns_its_timeout_fails_and_its_process_is_killed() {
    let lambda = Lambda::with("      Timeout: 1\n", &[]).await;
    let before = lambda.pid().await;
    let error = lambda.invoke(json!({"do": "hang"})).await.unwrap_err();
    assert!(matches!(error, InvokeError::TimedOut { .. }));
    assert!(error.error_message().ends_with("Task timed out after 1.00 seconds"), "{error}");
    stack::ended(before).await;
    assert_ne!(lambda.pid().await, before);
}

#[tokio::test]
async fn an_invocation_goes_on_when_nobody_waits_for_it_any_more() {
    let lambda = Lambda::with("      Timeout: 30\n      ReservedConcurrentExecutions: 1\n", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let waiting = tokio::spawn(invoke(lambda.functions.clone(), json!({"do": "wait", "file": file})));
    let started = lambda.functions.log().logged(|line| line.line.starts_with("started ")).await;
    waiting.abort();
    std::fs::write(&file, "").unwrap();
    // The next one gets its turn when the first one is through, on the process that it left unharmed.
    assert_eq!(format!("started {}", lambda.pid().await), started.line);
}

#[tokio::test]
async fn a_process_that_dies_at_its_start_fails_the_invocation_that_wanted_it() {
    let lambda = Lambda::with("      Timeout: 30\n", &[("DIES_AT_START", "1")]).await;
    let error = lambda.invoke(json!({})).await.unwrap_err();
    assert!(error.error_message().ends_with("Runtime exited with error: exit status 7"), "{error}");
}

#[tokio::test]
async fn a_result_over_six_megabytes_is_an_error() {
    let error = Lambda::plain().await.invoke(json!({"do": "large"})).await.unwrap_err();
    assert_eq!(error.error_type(), "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn a_function_gets_its_own_environment_and_nothing_of_the_laptops() {
    let lambda = Lambda::with("      Timeout: 30\n", &[("TABLE", "messages")]).await;
    let environment = lambda.invoke(json!({"do": "environment"})).await.unwrap();
    assert_eq!(environment["TABLE"], "messages");
    assert!(environment["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap().contains("[$LATEST]"));
    assert!(environment["CARGO_MANIFEST_DIR"].is_null() && environment["HOME"].is_null());
}

#[tokio::test]
async fn an_invocation_has_a_context_as_on_lambda() {
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
async fn a_function_that_the_template_lacks_is_said_to_be_unknown() {
    let lambda = Lambda::plain().await;
    let error = lambda.functions.invoke("G", "{}".into()).await.unwrap_err();
    assert_eq!(error, InvokeError::UnknownFunction("G".into()));
}

#[tokio::test]
async fn a_binary_that_cannot_be_started_is_named() {
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
    assert!(error.to_string().starts_with("F cannot be started: /nowhere/nobody: "), "{error}");
}

#[tokio::test]
async fn shutting_down_ends_every_process_and_refuses_what_comes_after() {
    let lambda = Lambda::with("      Timeout: 60\n", &[]).await;
    let idle = lambda.pid().await;
    let (one, other) = (lambda.functions.clone(), lambda.functions.clone());
    let hanging =
        [tokio::spawn(invoke(one, json!({"do": "hang"}))), tokio::spawn(invoke(other, json!({"do": "hang"})))];
    // The second process has started once its line is there; the first one hangs or is about to.
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
