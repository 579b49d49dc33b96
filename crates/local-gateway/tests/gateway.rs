//! A whole stack: how it starts, why it does not, and that it leaves nothing behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use local_gateway::{Binaries, Gateway, Limits, LogLine, LogSink, Options, StartError};
use serde_json::json;
use tokio_tungstenite::connect_async;

mod stack;

use stack::socket::{Client, Stack, TEMPLATE, written};

fn options(folder: &tempfile::TempDir) -> Options {
    let binaries = Binaries::Built { directory: stack::binaries() };
    Options { log: LogSink::Discard, ..Options::new(written(folder, TEMPLATE), binaries) }
}

async fn refused(options: Options) -> StartError {
    match Gateway::start(options).await {
        Ok(_) => panic!("it started"),
        Err(problem) => problem,
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let listen = refused(Options { listen: address, ..options(&folder) }).await;
    let endpoint = refused(Options { endpoint: address, ..options(&folder) }).await;
    for problem in [listen, endpoint] {
        assert_eq!(
            problem.to_string(),
            format!("{address} is already in use; stop what listens there, or choose another port")
        );
    }
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let problem = refused(Options { listen: everywhere, ..options(&folder) }).await;
    assert!(problem.to_string().starts_with("0.0.0.0:0 is not a loopback address"), "{problem}");
}

#[tokio::test]
async fn a_missing_binary_is_named_with_what_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::Built { directory: folder.path().to_owned() };
    let problem = refused(Options { binaries, ..options(&folder) }).await;
    let path = folder.path().join("echo");
    assert_eq!(
        problem.to_string(),
        format!(
            "EchoFunction needs the binary {}, which is not there; `cargo build --bin echo` makes it",
            path.display()
        )
    );
}

#[tokio::test]
async fn a_template_without_an_api_or_with_another_selection_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start = |text: String| {
        let options = options(&folder);
        written(&folder, &text);
        refused(options)
    };
    let without = TEMPLATE.split("  ChatApi:").next().unwrap().replace("${ChatApi}", "x");
    let problem = start(without).await;
    assert!(problem.to_string().ends_with("template.yaml has no AWS::Serverless::WebSocketApi"), "{problem}");
    let problem = start(TEMPLATE.replace("$request.body.action", "$request.header.action")).await;
    assert!(problem.to_string().contains("`$request.header.action`"), "{problem}");
    let problem = start("Resources: [".into()).await;
    assert!(matches!(problem, StartError::Template(_)), "{problem}");
}

#[tokio::test]
async fn functions_are_told_where_the_gateway_is() {
    let folder = tempfile::tempdir().unwrap();
    let extra = ("DEBUG".to_owned(), "1".to_owned());
    let gateway = Gateway::start(Options { environment: [extra].into(), ..options(&folder) }).await.unwrap();
    let environment = gateway.invoke("EchoFunction", json!({"do": "environment"})).await.unwrap();
    assert_eq!(environment["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"], gateway.management_url());
    assert_eq!(environment["AWS_ENDPOINT_URL_DYNAMODB"], gateway.endpoint_url());
    assert_eq!(environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"], gateway.endpoint_url());
    assert_eq!((&environment["DEBUG"], &environment["AWS_REGION"]), (&json!("1"), &json!("us-east-1")));
    for (name, value) in gateway.function_environment("EchoFunction") {
        assert_eq!(environment[&name], value, "{name}");
    }
    assert!(gateway.function_environment("Nobody").is_empty());
    gateway.shut_down().await;
}

#[tokio::test]
async fn the_lines_of_functions_can_be_taken_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let gateway = Gateway::start(Options { log: LogSink::Lines(sender), ..options(&folder) }).await.unwrap();
    let pid = gateway.invoke("EchoFunction", json!({})).await.unwrap()["pid"].clone();
    let expected = LogLine { function: "EchoFunction".into(), line: format!("started {pid}") };
    assert_eq!(lines.recv().await, Some(expected));
    gateway.shut_down().await;
}

#[tokio::test]
async fn a_dropped_gateway_leaves_no_process() {
    let stack = Stack::with(TEMPLATE, Limits::default()).await;
    let pid = stack.gateway.invoke("EchoFunction", json!({})).await.unwrap()["pid"].as_u64().unwrap();
    assert!(stack::runs(pid));
    drop(stack);
    stack::ended(pid).await;
}

/// The plain binary on the echo template. It ends with the test, however that ends.
struct Binary {
    child: Child,
    /// Where it says that it listens.
    url: String,
}

impl Binary {
    fn start(folder: &tempfile::TempDir, more: &[&str]) -> Binary {
        let mut child = Command::new(env!("CARGO_BIN_EXE_local-gateway"))
            .arg("--template")
            .arg(written(folder, TEMPLATE))
            .arg("--bin-dir")
            .arg(stack::binaries())
            .args(["--port", "0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let url = line.strip_prefix("WebSocket API     ").unwrap().to_owned();
        Binary { child, url }
    }

    /// Connects, and has one process hang so that it notices nothing by itself: its id and that of an idle one.
    async fn processes(&self, folder: &tempfile::TempDir) -> (Client, u64, u64) {
        let mut client = Client(connect_async(format!("{}?token=allow", self.url)).await.unwrap().0);
        let file = folder.path().join("hanging");
        client.send(json!({"action": "say", "do": "hang", "file": file})).await;
        let hanging = stack::pid_in(&file).await;
        client.send(json!({"action": "say"})).await;
        let idle = client.json().await["pid"].as_u64().unwrap();
        assert_ne!(hanging, idle);
        (client, hanging, idle)
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_plain_binary_serves_a_template_and_ends_in_order_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut binary = Binary::start(&folder, &["--data", folder.path().join("data").to_str().unwrap()]);
    let (mut client, hanging, idle) = binary.processes(&folder).await;
    assert!(Command::new("kill").arg(binary.child.id().to_string()).status().unwrap().success());
    assert_eq!(client.closed().await.0, 1001);
    let status = tokio::task::spawn_blocking(move || binary.child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
    stack::ended(hanging).await;
    stack::ended(idle).await;
}

#[tokio::test]
async fn no_function_outlives_a_gateway_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut binary = Binary::start(&folder, &[]);
    let (_client, hanging, idle) = binary.processes(&folder).await;
    binary.child.kill().unwrap();
    binary.child.wait().unwrap();
    stack::ended(hanging).await;
    stack::ended(idle).await;
}

#[test]
fn the_plain_binary_says_in_one_sentence_why_it_does_not_start() {
    let refused = Command::new(env!("CARGO_BIN_EXE_local-gateway"))
        .args(["--template", "/nowhere/template.yaml"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.starts_with("the template /nowhere/template.yaml cannot be read: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_fault_plan_that_cannot_be_followed_is_said_in_one_sentence_and_planted_defects_loudly() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    let template = written(&folder, TEMPLATE);
    let said = |text: &str| {
        std::fs::write(&plan, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-gateway"));
        command.arg("--template").arg(&template).arg("--bin-dir").arg(stack::binaries()).arg("--faults").arg(&plan);
        let refused = command.output().unwrap();
        assert!(!refused.status.success());
        String::from_utf8(refused.stderr).unwrap()
    };
    let unknown = said(r#"{"sqs": {}}"#);
    assert!(unknown.contains("plan.json is no fault plan: unknown field `sqs`"), "{unknown}");
    assert_eq!(unknown.lines().count(), 1, "{unknown}");
    let planted = said(r#"{"sabotage": {"numbers_unguarded": true, "messages_table": "Messages"}}"#);
    let lines: Vec<&str> = planted.lines().collect();
    assert!(lines[0].starts_with("WARNING: the fault plan plants defects (numbers_unguarded)"), "{planted}");
    assert_eq!(lines[1], "the fault plan's sabotage.messages_table names `Messages`, which the template has not");
}
