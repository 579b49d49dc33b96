//! A whole stack: how it starts, why it may not, and that it leaves no process behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use local_gateway::{Binaries, Gateway, LogLine, LogSink, Options, StartError};
use serde_json::json;
use tokio_tungstenite::connect_async;

mod stack;

use stack::socket::{Client, Stack, TEMPLATE, written};

fn options(folder: &tempfile::TempDir) -> Options {
    let binaries = Binaries::Built { directory: stack::binaries() };
    Options { log: LogSink::Discard, ..Options::new(written(folder, TEMPLATE), binaries) }
}

async fn start_error(options: Options) -> StartError {
    match Gateway::start(options).await {
        Ok(_) => panic!("the gateway started"),
        Err(problem) => problem,
    }
}

#[tokio::test]
async fn ports_in_use_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let listen = start_error(Options { listen: address, ..options(&folder) }).await;
    let endpoint = start_error(Options { endpoint: address, ..options(&folder) }).await;
    for problem in [listen, endpoint] {
        assert_eq!(
            problem.to_string(),
            format!("{address} is already in use; stop the other program or choose another port")
        );
    }
}

#[tokio::test]
async fn only_loopback_addresses_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let problem = start_error(Options { listen: everywhere, ..options(&folder) }).await;
    assert!(problem.to_string().starts_with("0.0.0.0:0 is not a loopback address"), "{problem}");
}

#[tokio::test]
async fn missing_binaries_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::Built { directory: folder.path().to_owned() };
    let problem = start_error(Options { binaries, ..options(&folder) }).await;
    let path = folder.path().join("echo");
    assert_eq!(
        problem.to_string(),
        format!("EchoFunction: binary {} not found; run `cargo build --bin echo`", path.display())
    );
}

#[tokio::test]
async fn unusable_templates_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let start = |text: String| {
        let options = options(&folder);
        written(&folder, &text);
        start_error(options)
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
async fn functions_get_the_gateways_endpoints() {
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
async fn output_can_go_to_a_channel() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let gateway = Gateway::start(Options { log: LogSink::Lines(sender), ..options(&folder) }).await.unwrap();
    let pid = gateway.invoke("EchoFunction", json!({})).await.unwrap()["pid"].clone();
    let expected = LogLine { function: "EchoFunction".into(), line: format!("started {pid}") };
    assert_eq!(lines.recv().await, Some(expected));
    gateway.shut_down().await;
}

#[tokio::test]
async fn dropped_gateways_leave_no_process() {
    let stack = Stack::start().await;
    let pid = stack.gateway.invoke("EchoFunction", json!({})).await.unwrap()["pid"].as_u64().unwrap();
    assert!(stack::runs(pid));
    drop(stack);
    stack::ended(pid).await;
}

/// The `local-gateway` program with the echo template; killed at the end of the test.
struct Binary {
    child: Child,
    /// The URL that it prints.
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

    /// Connects and makes one process hang: its id, and that of an idle process.
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
        // Fails if the test has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn program_shuts_down_in_order() {
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
async fn functions_do_not_outlive_killed_gateways() {
    let folder = tempfile::tempdir().unwrap();
    let mut binary = Binary::start(&folder, &[]);
    let (_client, hanging, idle) = binary.processes(&folder).await;
    binary.child.kill().unwrap();
    binary.child.wait().unwrap();
    stack::ended(hanging).await;
    stack::ended(idle).await;
}

#[test]
fn program_prints_why_it_does_not_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_local-gateway"))
        .args(["--template", "/nowhere/template.yaml"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("failed to read the template /nowhere/template.yaml: "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn invalid_fault_plans_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    let template = written(&folder, TEMPLATE);
    let error_of = |text: &str| {
        std::fs::write(&plan, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-gateway"));
        command.arg("--template").arg(&template).arg("--bin-dir").arg(stack::binaries()).arg("--faults").arg(&plan);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let unknown = error_of(r#"{"sqs": {}}"#);
    assert!(unknown.contains("plan.json is not a fault plan: unknown field `sqs`"), "{unknown}");
    assert_eq!(unknown.lines().count(), 1, "{unknown}");
    let function = error_of(r#"{"lambda": {"functions": ["Nothing"]}}"#);
    assert_eq!(function, "the fault plan's lambda.functions names `Nothing`, which is not in the template\n");
}
