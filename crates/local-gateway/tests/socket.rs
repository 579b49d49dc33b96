//! The WebSocket API over real sockets: handshakes, routes, replies, limits, and how connections end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::SinkExt as _;
use local_gateway::Limits;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

mod stack;

use stack::socket::{Stack, TEMPLATE, limits};

#[tokio::test]
async fn routes_with_response_reply() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    client.send(json!({"action": "say", "text": "안녕하세요"})).await;
    assert_eq!(client.json().await["echo"]["text"], "안녕하세요");
}

#[tokio::test]
async fn routes_without_response_do_not_reply() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    client.send(json!({"action": "whisper", "text": "1"})).await;
    client.send(json!({"action": "say", "text": "2"})).await;
    assert_eq!(client.json().await["echo"]["text"], "2");
}

#[tokio::test]
async fn message_events_equal_api_gateways() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let sent = json!({"action": "say", "do": "event"}).to_string();
    client.send_text(&sent).await;
    let event = client.json().await;
    let context = &event["requestContext"];
    assert_eq!(event["body"], sent);
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!((context["routeKey"].as_str(), context["eventType"].as_str()), (Some("say"), Some("MESSAGE")));
    assert_eq!((context["stage"].as_str(), context["messageDirection"].as_str()), (Some("dev"), Some("IN")));
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    assert_eq!(vec![context["connectionId"].as_str().unwrap()], stack.gateway.connection_ids());
    assert!(context["domainName"].as_str().unwrap().ends_with(".execute-api.us-east-1.amazonaws.com"));
    assert!(context["requestTimeEpoch"].as_u64() >= context["connectedAt"].as_u64());
    assert!(context["requestTime"].as_str().unwrap().ends_with(" +0000"));
    let authorizer = &context["authorizer"];
    assert_eq!((authorizer["principalId"].as_str(), authorizer["participant"].as_str()), (Some("u1"), Some("user:u1")));
    assert_eq!((authorizer["exp"].as_str(), authorizer["staff"].as_str()), (Some("1795200000"), Some("false")));
}

#[tokio::test]
async fn unknown_routes_go_to_default_or_are_forbidden() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    for message in ["not json", "[]", "{}", r#"{"action":"fly"}"#, r#"{"action":"$connect"}"#] {
        client.send_text(message).await;
        let rejected = client.json().await;
        assert_eq!(rejected["message"], "Forbidden", "{message}");
        assert!(rejected["connectionId"].is_string() && rejected["requestId"].is_string(), "{rejected}");
    }

    let route =
        "        $default: {FunctionArn: !GetAtt EchoFunction.Arn, RouteResponseSelectionExpression: $default}\n";
    let response = "
  DefaultResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref ChatApi, RouteId: !Ref ChatApiDefaultRoute, RouteResponseKey: $default}
";
    let default = TEMPLATE.replace("        say: {", &format!("{route}        say: {{")) + response;
    let stack = Stack::with(&default, limits()).await;
    let mut client = stack.client().await;
    client.send(json!({"action": "fly", "do": "event"})).await;
    assert_eq!(client.json().await["requestContext"]["routeKey"], "$default");
    client.send_text("not json").await;
    assert_eq!(client.json().await["echo"], Value::Null);
}

#[tokio::test]
async fn invalid_escapes_reach_their_route() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    client.send_text(r#"{"action":"say","text":"\ud83d"}"#).await;
    // The echo cannot read it either.
    assert_eq!(client.json().await["echo"], Value::Null);
}

#[tokio::test]
async fn failing_functions_leave_the_connection_open() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    for what in ["fail", "die", "no-result"] {
        client.send(json!({"action": "say", "do": what})).await;
        let error = client.json().await;
        assert_eq!(error["message"], "Internal server error", "{what}");
        assert_eq!(error["connectionId"], json!(stack.gateway.connection_ids()[0]));
        assert!(error["requestId"].is_string());
    }
    client.send(json!({"action": "say", "text": "still here"})).await;
    assert_eq!(client.json().await["echo"]["text"], "still here");
}

#[tokio::test]
async fn integration_timeout_ends_the_wait() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let file = stack.folder.path().join("go");
    client.send(json!({"action": "hurry", "do": "wait", "file": file})).await;
    assert_eq!(client.json().await["message"], "Endpoint request timed out");
    std::fs::write(file, "").unwrap();
}

#[tokio::test]
async fn slow_messages_do_not_delay_others() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let file = stack.folder.path().join("go");
    client.send(json!({"action": "say", "do": "wait", "file": file})).await;
    client.send(json!({"action": "say", "text": "quick"})).await;
    assert_eq!(client.json().await["echo"]["text"], "quick");
    std::fs::write(file, "").unwrap();
    assert!(client.json().await["pid"].is_u64());
}

#[tokio::test]
async fn authorizer_decides_about_handshakes() {
    let stack = Stack::start().await;
    for (query, status, body) in [
        ("", 401, json!({"message": "Unauthorized"})),
        ("?token=wrong", 401, json!({"message": "Unauthorized"})),
        (
            "?token=deny",
            403,
            json!({"Message": "User is not authorized to access this resource with an explicit deny"}),
        ),
        ("?token=broken", 500, json!({"message": "Internal server error"})),
    ] {
        let rejected = stack.rejected(&format!("/dev{query}"), &[]).await;
        assert_eq!(rejected.status(), status, "{query}");
        assert_eq!(serde_json::from_slice::<Value>(rejected.body().as_deref().unwrap()).unwrap(), body, "{query}");
    }
    assert!(stack.gateway.connection_ids().is_empty());
    let mut request = stack.gateway.websocket_url().into_client_request().unwrap();
    request.headers_mut().insert("authorization", "allow".parse().unwrap());
    connect_async(request).await.unwrap();
}

#[tokio::test]
async fn missing_identity_source_skips_the_authorizer() {
    let template = TEMPLATE.replace(
        "        AuthType: CUSTOM",
        "        AuthType: CUSTOM\n        IdentitySource: [route.request.querystring.token]",
    );
    let stack = Stack::with(&template, limits()).await;
    assert_eq!(stack.rejected("/dev", &[("authorization", "allow")]).await.status(), 401);
    assert_eq!(stack.gateway.ledger().snapshot().function("EchoFunction").invocations, 0);
    stack.client().await;
}

#[tokio::test]
async fn status_of_connect_reaches_the_client() {
    let stack = Stack::start().await;
    for (connect, status) in [("403", 403), ("429", 429), ("500", 500), ("fail", 502), ("no-result", 502)] {
        let rejected = stack.rejected(&format!("/dev?token=allow&connect={connect}"), &[]).await;
        assert_eq!(rejected.status(), status, "{connect}");
    }
    assert!(stack.gateway.connection_ids().is_empty());
    stack.client_with("&connect=204").await;
}

#[tokio::test]
async fn other_paths_are_forbidden() {
    let stack = Stack::start().await;
    for path in ["/", "/prod?token=allow", "/dev/more?token=allow"] {
        let rejected = stack.rejected(path, &[]).await;
        assert_eq!(
            (rejected.status().as_u16(), rejected.body().as_deref()),
            (403, Some(&br#"{"message":"Forbidden"}"#[..]))
        );
    }
    let plain = reqwest::get(stack.gateway.management_url()).await.unwrap();
    assert_eq!(plain.status(), 426);
    let long = format!("/dev?token=allow&x={}", "x".repeat(5_000));
    assert_eq!(stack.rejected(&long, &[]).await.status(), 414);
}

#[tokio::test]
async fn connect_chooses_the_subprotocol() {
    let stack = Stack::start().await;
    let mut request = stack.url("").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "damso.v1, bearer.xyz".parse().unwrap());
    let (_, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "damso.v1");
}

#[tokio::test]
async fn oversized_messages_close_with_1009() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    client.send_text(&"x".repeat(32 * 1024)).await;
    assert_eq!(client.json().await["message"], "Forbidden");
    client.send_text(&"x".repeat(200_000)).await;
    assert_eq!(client.closed().await.0, 1009);
    assert_eq!(stack.disconnected(&id).await["disconnectStatusCode"], 1009);

    let mut client = stack.client().await;
    for text in fragments("say", 5) {
        client.0.send(text).await.unwrap();
    }
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn fragments_form_one_message() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    for text in fragments("say", 4) {
        client.0.send(text).await.unwrap();
    }
    assert_eq!(client.json().await["echo"]["action"], "say");
}

/// A JSON message in fragments of almost 32 KB.
fn fragments(action: &str, frames: usize) -> Vec<Message> {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let padding = "x".repeat(frames * 32_700 - 100);
    let text = json!({"action": action, "do": "speak", "bytes": 3, "padding": padding}).to_string();
    let text = text.replace(r#""do":"speak""#, r#""do":"answer""#);
    let pieces: Vec<_> = text.into_bytes().chunks(32_700).map(<[u8]>::to_vec).collect();
    let last = pieces.len() - 1;
    let frame = |(index, piece): (usize, Vec<u8>)| {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message(piece, OpCode::Data(kind), index == last))
    };
    pieces.into_iter().enumerate().map(frame).collect()
}

#[tokio::test]
async fn oversized_replies_are_errors() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    client.send(json!({"action": "say", "do": "speak", "bytes": 131_072})).await;
    assert_eq!(client.text().await.len(), 131_072);
    client.send(json!({"action": "say", "do": "speak", "bytes": 131_073})).await;
    assert_eq!(client.json().await["message"], "Internal server error");
}

#[tokio::test]
async fn binary_frames_close_with_1003() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    client.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.closed().await.0, 1003);
}

#[tokio::test]
async fn disconnect_gets_code_and_reason() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let frame = CloseFrame { code: 4000.into(), reason: "bye".into() };
    client.0.close(Some(frame)).await.unwrap();
    let context = stack.disconnected(&id).await;
    assert_eq!(
        (context["disconnectStatusCode"].as_u64(), context["disconnectReason"].as_str()),
        (Some(4000), Some("bye"))
    );
    assert_eq!(
        (context["eventType"].as_str(), context["routeKey"].as_str()),
        (Some("DISCONNECT"), Some("$disconnect"))
    );
    assert_eq!(context["authorizer"]["participant"], "user:u1");

    let mut client = stack.client().await;
    let id = client.id().await;
    client.0.close(None).await.unwrap();
    assert_eq!(stack.disconnected(&id).await["disconnectStatusCode"], 1005);

    let mut client = stack.client().await;
    let id = client.id().await;
    drop(client);
    assert_eq!(stack.disconnected(&id).await["disconnectStatusCode"], 1006);
    assert!(stack.gateway.connection_ids().is_empty());
}

#[tokio::test]
async fn leaving_during_connect_runs_disconnect() {
    let stack = Stack::start().await;
    let file = stack.folder.path().join("go");
    let url = stack.url(&format!("&wait={}", file.display()));
    let connecting = tokio::spawn(connect_async(url));
    let line = stack.gateway.logged(|line| line.line.starts_with("connecting ")).await.line;
    connecting.abort();
    assert!(connecting.await.unwrap_err().is_cancelled());
    std::fs::write(file, "").unwrap();
    assert_eq!(stack.disconnected(&line["connecting ".len()..]).await["disconnectStatusCode"], 1006);
}

// That messages keep a connection open is a unit test of the session, on a paused clock.
#[tokio::test]
async fn idle_connections_close_with_1001() {
    let limits = Limits { idle: Duration::from_millis(500), ..limits() };
    let stack = Stack::with(TEMPLATE, limits).await;
    let mut client = stack.client().await;
    let line = stack.gateway.logged(|line| line.line.starts_with("connecting ")).await.line;
    assert_eq!(client.closed().await, (1001, "Going away".into()));
    assert_eq!(stack.disconnected(&line["connecting ".len()..]).await["disconnectStatusCode"], 1001);
}

#[tokio::test]
async fn old_connections_close_with_1001() {
    let limits = Limits { longest: Duration::from_millis(800), ..limits() };
    let stack = Stack::with(TEMPLATE, limits).await;
    assert_eq!(stack.client().await.closed().await, (1001, "Going away".into()));
}

#[tokio::test]
async fn shutdown_runs_disconnect() {
    let stack = Stack::start().await;
    let mut client = stack.client().await;
    let id = client.id().await;
    let functions = stack.gateway.functions().clone();
    let (closed, ()) = tokio::join!(client.closed(), stack.gateway.shut_down());
    assert_eq!(closed.0, 1001);
    let lines = functions.log().lines();
    assert!(lines.iter().any(|line| line.line.starts_with("disconnected ") && line.line.contains(&id)), "{lines:?}");
}
