//! Faults of Lambda, pushes and connections in a running stack.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use local_gateway::faults::{Chance, Connections, Kind, Lambda, Latencies, Latency, Plan, Pushes};
use local_gateway::interceptor::{Interceptor, PushDecision};
use local_gateway::{Gateway, InvokeError};
use serde_json::{Value, json};

mod stack;

use stack::socket::{Client, Stack};

async fn lambda(lambda: Lambda) -> Stack {
    Stack::under(Plan { lambda, ..Plan::default() }).await
}

async fn pushes(pushes: Pushes) -> Stack {
    Stack::under(Plan { pushes, ..Plan::default() }).await
}

async fn connections(connections: Connections) -> Stack {
    Stack::under(Plan { connections, ..Plan::default() }).await
}

async fn invoke(stack: &Stack, payload: Value) -> Result<Value, InvokeError> {
    stack.gateway.invoke("EchoFunction", payload).await
}

async fn pid(stack: &Stack) -> u64 {
    invoke(stack, json!({})).await.unwrap()["pid"].as_u64().unwrap()
}

/// The status of a push; `None` without a response.
async fn push(stack: &Stack, id: &str, text: &str) -> Option<u16> {
    let sent = stack.manage(reqwest::Method::POST, id).body(text.to_owned()).send().await;
    sent.ok().map(|answer| answer.status().as_u16())
}

/// How often `$disconnect` ran, once the gateway has shut down.
async fn disconnects(gateway: Gateway) -> usize {
    let functions = gateway.functions().clone();
    gateway.shut_down().await;
    functions.log().lines().iter().filter(|line| line.line.starts_with("disconnected ")).count()
}

async fn leave(client: &mut Client) {
    client.0.close(None).await.unwrap();
    client.is_cut().await;
}

#[tokio::test]
async fn killed_processes_are_replaced() {
    let stack = lambda(Lambda { killed: Chance::once().for_ms(0..=50), ..Lambda::default() }).await;
    let file = stack.folder.path().join("never");
    let error = invoke(&stack, json!({"do": "wait", "file": file})).await.unwrap_err();
    assert!(matches!(error, InvokeError::Crashed { .. }), "{error}");
    assert!(error.error_message().ends_with("Runtime exited with error: signal: killed"), "{error}");
    let started = stack.gateway.logged(|line| line.line.starts_with("started ")).await;
    let killed = started.line["started ".len()..].parse().unwrap();
    assert!(!stack::runs(killed), "the process ends before its failure is reported");
    assert_ne!(pid(&stack).await, killed);
    assert_eq!(stack.gateway.faults().counts(), BTreeMap::from([(Kind::LambdaKilled, 1)]));
}

#[tokio::test]
async fn responses_before_the_kill_are_lost() {
    let stack = lambda(Lambda { killed: Chance::once().for_ms(290_000..=290_000), ..Lambda::default() }).await;
    let started = Instant::now();
    let error = invoke(&stack, json!({})).await.unwrap_err();
    assert!(matches!(error, InvokeError::Crashed { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(200), "the kill follows the response");
}

#[tokio::test]
async fn responses_are_withheld_until_the_timeout() {
    let stack = lambda(Lambda { timeout: Chance::once().for_ms(120..=120), ..Lambda::default() }).await;
    let error = invoke(&stack, json!({})).await.unwrap_err();
    assert!(error.error_message().ends_with("Task timed out after 0.12 seconds"), "{error}");
    invoke(&stack, json!({})).await.unwrap();
}

#[tokio::test]
async fn cold_starts_replace_idle_processes() {
    let stack = lambda(Lambda { cold: Chance::once(), ..Lambda::default() }).await;
    let first = pid(&stack).await;
    let second = pid(&stack).await;
    assert_ne!(first, second);
    stack::ended(first).await;
    assert_eq!(pid(&stack).await, second);
}

#[tokio::test]
async fn crowds_are_bounded() {
    let stack = lambda(Lambda { crowd: Chance::of(1.0).at_most(11), ..Lambda::default() }).await;
    let mut pids = Vec::new();
    for _ in 0..12 {
        pids.push(pid(&stack).await);
    }
    assert_eq!(BTreeSet::from_iter(&pids).len(), 12);
    // The two oldest had to go; the one used last is reused first.
    stack::ended(pids[1]).await;
    assert!(stack::runs(pids[2]));
    assert_eq!(pid(&stack).await, pids[11]);
}

#[tokio::test]
async fn pushes_fail_in_three_ways() {
    let once = Chance::once();
    let stack = pushes(Pushes { gone: once, throttled: once, failed: once, ..Pushes::default() }).await;
    let mut client = stack.client().await;
    let id = client.id().await;
    for status in [410, 429, 500, 200] {
        assert_eq!(push(&stack, &id, &status.to_string()).await, Some(status));
    }
    assert_eq!(client.text().await, "200");
    let expected = [Kind::PushGone, Kind::PushThrottled, Kind::PushFailed].map(|kind| (kind, 1));
    assert_eq!(stack.gateway.faults().counts(), BTreeMap::from(expected));
}

#[tokio::test]
async fn pushes_to_unknown_connections_meet_no_fault() {
    let stack = pushes(Pushes { gone: Chance::of(1.0), ..Pushes::default() }).await;
    assert_eq!(push(&stack, "L0SM9cOFvHcCIhw=", "x").await, Some(410));
    assert!(stack.gateway.faults().counts().is_empty());
}

#[tokio::test]
async fn pushes_with_lost_response_arrive() {
    let stack = pushes(Pushes { lost_answer: Chance::of(1.0), ..Pushes::default() }).await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let mut answers = BTreeSet::new();
    for number in 0..12 {
        answers.insert(push(&stack, &id, &number.to_string()).await);
        assert_eq!(client.text().await, number.to_string());
    }
    assert_eq!(answers, [None, Some(500)].into());
}

#[tokio::test]
async fn hung_connections_do_not_affect_others() {
    let stack = pushes(Pushes { hung: Chance::once(), ..Pushes::default() }).await;
    let mut hung = stack.client().await;
    let mut other = stack.client().await;
    let hung_id = hung.id().await;
    let other_id = other.id().await;
    let mut first = Box::pin(push(&stack, &hung_id, "never"));
    let second = tokio::select! {
        biased;
        status = &mut first => panic!("the hung connection responded with {status:?}"),
        status = async {
            // A push is counted before it hangs.
            while stack.gateway.faults().counts().is_empty() {
                tokio::task::yield_now().await;
            }
            push(&stack, &other_id, "at once").await
        } => status,
    };
    assert_eq!((second, other.text().await.as_str()), (Some(200), "at once"));
    assert_eq!(stack.gateway.faults().counts(), BTreeMap::from([(Kind::PushHung, 1)]));
    stack.gateway.faults().calm();
    assert_eq!(push(&stack, &hung_id, "awake").await, Some(200));
    assert_eq!(hung.text().await, "awake", "the hung push is never sent");
}

#[tokio::test]
async fn slow_pushes_take_the_planned_time() {
    let stack = pushes(Pushes { slow: Chance::once().for_ms(300..=300), ..Pushes::default() }).await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let started = Instant::now();
    assert_eq!(push(&stack, &id, "at last").await, Some(200));
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(client.text().await, "at last");
}

#[tokio::test]
async fn connections_are_cut_at_messages() {
    let mut invocations = BTreeSet::new();
    for seed in 0..6 {
        let plan = Connections { cut: Chance::once(), ..Connections::default() };
        let stack = Stack::under(Plan { seed, connections: plan, ..Plan::default() }).await;
        let mut client = stack.client().await;
        let id = stack.gateway.connection_ids().remove(0);
        client.send(json!({"action": "say"})).await;
        assert!(client.is_cut().await);
        let event = stack.disconnected(&id).await;
        assert_eq!(event["disconnectStatusCode"], 1006);
        let ledger = stack.gateway.ledger().clone();
        stack.gateway.shut_down().await;
        // The authorizer, $connect and $disconnect; and the message, or not.
        invocations.insert(ledger.snapshot().function("EchoFunction").invocations);
    }
    assert_eq!(invocations, [3, 4].into());
}

#[tokio::test]
async fn connections_are_cut_at_pushes() {
    let stack = connections(Connections { cut: Chance::once(), ..Connections::default() }).await;
    let mut client = stack.client().await;
    let id = stack.gateway.connection_ids().remove(0);
    assert_eq!(push(&stack, &id, "lost").await, Some(200), "the failure is not known yet");
    assert!(client.is_cut().await);
    assert_eq!(stack.disconnected(&id).await["disconnectStatusCode"], 1006);
    assert_eq!(push(&stack, &id, "late").await, Some(410));
}

#[tokio::test]
async fn disconnect_may_never_run() {
    let stack = connections(Connections { disconnect_never: Chance::once(), ..Connections::default() }).await;
    let mut first = stack.client().await;
    let mut second = stack.client().await;
    let id = second.id().await;
    leave(&mut first).await;
    leave(&mut second).await;
    let one = stack.gateway.logged(|line| line.line.starts_with("disconnected ")).await;
    assert!(one.line.contains(&id) || stack.gateway.faults().counts()[&Kind::DisconnectNever] == 1);
    assert_eq!(disconnects(stack.gateway).await, 1);
}

#[tokio::test]
async fn late_disconnects_run_before_shutdown() {
    let late = Chance::once().for_ms(600_000..=600_000);
    let stack = connections(Connections { disconnect_late: late, ..Connections::default() }).await;
    leave(&mut stack.client().await).await;
    let started = Instant::now();
    let faults = stack.gateway.faults().clone();
    assert_eq!(disconnects(stack.gateway).await, 1);
    assert!(started.elapsed() < Duration::from_secs(300));
    assert_eq!(faults.counts(), BTreeMap::from([(Kind::DisconnectLate, 1)]));
}

#[tokio::test]
async fn disconnect_may_run_twice() {
    let stack = connections(Connections { disconnect_twice: Chance::once(), ..Connections::default() }).await;
    let mut client = stack.client().await;
    let id = client.id().await;
    leave(&mut client).await;
    stack.disconnected(&id).await;
    assert_eq!(disconnects(stack.gateway).await, 2);
}

#[tokio::test]
async fn plans_change_at_run_time() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let throttle = Pushes { throttled: Chance::of(1.0), ..Pushes::default() };
    assert_eq!(push(&stack, &id, "before").await, Some(200));
    stack.gateway.faults().set(Plan { pushes: throttle, ..Plan::default() }).unwrap();
    assert_eq!(push(&stack, &id, "meanwhile").await, Some(429));
    stack.gateway.faults().calm();
    assert_eq!(push(&stack, &id, "after").await, Some(200));
    assert_eq!((client.text().await, client.text().await), ("before".into(), "after".into()));
}

/// Discards every third push.
#[derive(Debug, Default)]
struct Discarding(AtomicU64);

impl Interceptor for Discarding {
    fn push(&self, function: &str) -> PushDecision {
        assert_eq!(function, "EchoFunction");
        match self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
            true => PushDecision::Discard,
            false => PushDecision::Deliver,
        }
    }
}

#[tokio::test]
async fn interceptors_discard_pushes_of_functions() {
    let stack = Stack::intercepted(Arc::new(Discarding::default())).await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let key = stack.gateway.function_environment("EchoFunction")["AWS_ACCESS_KEY_ID"].clone();
    let signature = format!("AWS4-HMAC-SHA256 Credential={key}/20261121/us-east-1/execute-api/aws4_request");
    for number in 0..6 {
        let post = reqwest::Client::new().post(stack.management(&id)).header("Authorization", &signature);
        assert_eq!(post.body(number.to_string()).send().await.unwrap().status(), 200);
    }
    // Pushes by other clients are not intercepted.
    assert_eq!(push(&stack, &id, "end").await, Some(200));
    for arrives in ["1", "2", "4", "5", "end"] {
        assert_eq!(client.text().await, arrives);
    }
}

#[tokio::test]
async fn latencies_delay_frames_replies_and_pushes() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let latency = Some(Latency { p50_ms: 200.0, p99_ms: 200.0, source: "a test".into() });
    let latencies = Latencies { push: latency.clone(), api_gateway: latency, ..Latencies::default() };
    stack.gateway.faults().set(Plan { latencies: Some(latencies), ..Plan::default() }).unwrap();
    let started = Instant::now();
    assert_eq!(client.id().await, id);
    assert!(started.elapsed() >= Duration::from_millis(400), "once before the invocation and once before the reply");
    let started = Instant::now();
    let (status, text) = tokio::join!(push(&stack, &id, "at last"), async {
        let text = client.text().await;
        (text, started.elapsed())
    });
    assert_eq!((status, text.0.as_str()), (Some(200), "at last"));
    assert!(text.1 >= Duration::from_millis(200), "the client gets it no sooner");
}

#[tokio::test]
async fn only_cold_starts_have_their_latency() {
    let cold = Latency { p50_ms: 400.0, p99_ms: 400.0, source: "a test".into() };
    let latencies = Some(Latencies { cold_start: Some(cold), ..Latencies::default() });
    let stack = Stack::under(Plan { latencies, ..Plan::default() }).await;
    let started = Instant::now();
    let first = pid(&stack).await;
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert_eq!(pid(&stack).await, first);
    let stats = stack.gateway.functions().process_stats().remove("EchoFunction").unwrap();
    assert_eq!((stats.starts.len(), stats.first.len(), stats.later.len()), (1, 1, 1));
}
