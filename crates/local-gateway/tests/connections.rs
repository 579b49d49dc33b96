//! `@connections` as functions use it: through the real SDK, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use aws_sdk_apigatewaymanagement::Client as Management;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::error::ProvideErrorMetadata as _;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::connect_async;

mod stack;

use stack::socket::{Client, Stack, TEMPLATE, limits};

/// The SDK with the credentials in the function's environment.
fn management(stack: &Stack) -> Management {
    let environment = stack.gateway.function_environment("EchoFunction");
    let variable = |name: &str| environment[name].clone();
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        Some(variable("AWS_SESSION_TOKEN")),
        None,
        "test",
    );
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION")))
        .credentials_provider(credentials)
        .endpoint_url(variable("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"))
        // Errors must be visible, not retried.
        .retry_config(aws_sdk_apigatewaymanagement::config::retry::RetryConfig::disabled())
        .build();
    Management::from_conf(config)
}

async fn push(management: &Management, id: &str, text: String) -> Result<(), PostToConnectionError> {
    let sent = management.post_to_connection().connection_id(id).data(Blob::new(text)).send().await;
    sent.map(|_| ()).map_err(|problem| problem.into_service_error())
}

#[tokio::test]
async fn pushes_arrive_and_are_counted() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    push(&management(&stack), &id, "안녕하세요".into()).await.unwrap();
    assert_eq!(client.text().await, "안녕하세요");
    assert_eq!(stack.gateway.ledger().snapshot().function("EchoFunction").pushes, 1);
}

#[tokio::test]
async fn pushes_may_have_128_kb() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let management = management(&stack);
    push(&management, &id, "x".repeat(131_072)).await.unwrap();
    assert_eq!(client.text().await.len(), 131_072);
    let error = push(&management, &id, "x".repeat(131_073)).await.unwrap_err();
    assert!(error.is_payload_too_large_exception(), "{error:?}");
}

#[tokio::test]
async fn policies_limit_methods() {
    let posting = "Resource: !Sub 'arn:aws:execute-api:*:*:${ChatApi}/dev/POST/@connections/*'";
    let stack = Stack::with(&TEMPLATE.replace("Resource: '*'", posting), limits()).await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let management = management(&stack);
    push(&management, &id, "allowed".into()).await.unwrap();
    assert_eq!(client.text().await, "allowed");
    let get = management.get_connection().connection_id(&id).send().await.unwrap_err();
    let delete = management.delete_connection().connection_id(&id).send().await.unwrap_err();
    for (status, code, message) in [
        (get.raw_response().unwrap().status(), get.code(), get.message()),
        (delete.raw_response().unwrap().status(), delete.code(), delete.message()),
    ] {
        assert_eq!((status.as_u16(), code), (403, Some("AccessDeniedException")));
        assert!(
            message.unwrap().contains("is not authorized to perform: execute-api:ManageConnections on resource: arn:")
        );
    }
    push(&management, &id, "still open".into()).await.unwrap();
    assert_eq!(client.text().await, "still open");
    assert_eq!(stack.gateway.ledger().snapshot().function("EchoFunction").pushes, 2);
    let person = stack.manage(Method::GET, &id).send().await.unwrap();
    assert_eq!(person.status(), 200, "clients other than functions may do everything");
}

#[tokio::test]
async fn unsigned_requests_are_403() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        for authorization in ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=/20261121"] {
            let request = reqwest::Client::new().request(method.clone(), stack.management(&id)).body("hi");
            let answer = request.header("Authorization", authorization).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {authorization}");
            assert_eq!(answer.headers()["x-amzn-errortype"], "MissingAuthenticationTokenException");
            assert_eq!(answer.text().await.unwrap(), r#"{"message":"Missing Authentication Token"}"#);
        }
    }
    let person = stack.manage(Method::POST, &id).body("signed").send().await.unwrap();
    assert_eq!((person.status().as_u16(), client.text().await.as_str()), (200, "signed"), "no unsigned push arrived");
}

#[tokio::test]
async fn closed_and_unknown_connections_are_410() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    client.0.close(None).await.unwrap();
    stack.disconnected(&id).await;
    let management = management(&stack);
    assert!(push(&management, &id, "hi".into()).await.unwrap_err().is_gone_exception());
    assert!(push(&management, "L0SM9cOFvHcCIhw=", "hi".into()).await.unwrap_err().is_gone_exception());
    let gone = management.get_connection().connection_id(&id).send().await.unwrap_err().into_service_error();
    assert!(gone.is_gone_exception());
    let gone = management.delete_connection().connection_id(&id).send().await.unwrap_err().into_service_error();
    assert!(gone.is_gone_exception());
    assert_eq!(stack.gateway.ledger().snapshot().function("EchoFunction").pushes, 2, "failed pushes count too");
}

#[tokio::test]
async fn pushes_need_connect_to_return() {
    let stack = Stack::start().await;
    let file = stack.folder.path().join("go");
    let connecting = tokio::spawn(connect_async(stack.url(&format!("&wait={}", file.display()))));
    let line = stack.gateway.logged(|line| line.line.starts_with("connecting ")).await.line;
    let id = &line["connecting ".len()..];
    let management = management(&stack);
    assert!(push(&management, id, "early".into()).await.unwrap_err().is_gone_exception());
    std::fs::write(file, "").unwrap();
    let mut client = Client(connecting.await.unwrap().unwrap().0);
    push(&management, id, "in time".into()).await.unwrap();
    assert_eq!(client.text().await, "in time");
}

#[tokio::test]
async fn slow_readers_are_limited() {
    let stack = Stack::start().await;
    let mut slow = stack.client().await;
    let mut quick = stack.client().await;
    let slow_id = slow.id().await;
    let quick_id = quick.id().await;
    let management = management(&stack);
    let mut accepted = 0;
    let error = loop {
        match push(&management, &slow_id, format!("{accepted:0>60000}")).await {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 2_000, "120 MB are queued for a client that does not read");
    };
    assert!(error.is_limit_exceeded_exception(), "{error:?}");
    push(&management, &quick_id, "hello".into()).await.unwrap();
    assert_eq!(quick.text().await, "hello");
    // All accepted pushes arrive in order, and then the buffer has space again.
    for number in 0..accepted {
        assert_eq!(slow.text().await, format!("{number:0>60000}"));
    }
    push(&management, &slow_id, "again".into()).await.unwrap();
    assert_eq!(slow.text().await, "again");
}

#[tokio::test]
async fn connections_can_be_described() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let described = management(&stack).get_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(described.identity().unwrap().source_ip(), Some("127.0.0.1"));
    assert!(described.last_active_at().unwrap() >= described.connected_at().unwrap());
}

#[tokio::test]
async fn deleted_connections_flush_and_close_with_1000() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let management = management(&stack);
    push(&management, &id, "farewell".into()).await.unwrap();
    management.delete_connection().connection_id(&id).send().await.unwrap();
    assert!(push(&management, &id, "late".into()).await.unwrap_err().is_gone_exception());
    assert_eq!(client.text().await, "farewell");
    assert_eq!(client.closed().await, (1000, "Connection Closed Normally".into()));
    let context = stack.disconnected(&id).await;
    assert_eq!(context["disconnectStatusCode"], 1000);
    assert_eq!(context["disconnectReason"], "Connection Closed Normally");
}

#[tokio::test]
async fn replies_to_deleted_connections_are_lost() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let file = stack.folder.path().join("go");
    client.send(json!({"action": "say", "do": "wait", "file": file})).await;
    management(&stack).delete_connection().connection_id(&id).send().await.unwrap();
    std::fs::write(file, "").unwrap();
    // Only the close frame arrives.
    assert_eq!(client.closed().await.0, 1000);
}

#[tokio::test]
async fn other_stages_are_forbidden() {
    let stack = Stack::start().await;
    let id = stack.client().await.id().await;
    let url = stack.management(&id).replace("/dev/", "/prod/");
    let answer = reqwest::Client::new().post(url).body("hi").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (403, r#"{"message":"Forbidden"}"#));
    let answer = stack.manage(Method::POST, &id).body("hi").send().await.unwrap();
    assert_eq!(answer.status(), 410, "the client has left");
}

#[tokio::test]
async fn errors_have_codes_for_the_sdk() {
    let stack = Stack::start().await;
    let gone = push(&management(&stack), "unknown", "hi".into()).await.unwrap_err();
    assert_eq!(gone.code(), Some("GoneException"));
}
