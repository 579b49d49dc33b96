//! One connection from its upgrade to its `$disconnect`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::Api;
use super::event::new_id;
use super::limits::Limits;
use crate::connections::{Connection, Outgoing};
use crate::faults::{Faults, Kind};
use crate::living::Life;

/// How long a closing may take: the frames that still wait, the closing frame, and the client's own.
const CLOSING: Duration = Duration::from_secs(2);

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// How a connection came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    /// The client closed it, with these.
    ByClient { code: u16, reason: String },
    /// The gateway closes it, with these.
    ByGateway { code: u16, reason: &'static str },
    /// It broke without a closing frame.
    Broken,
}

impl Ending {
    const GOING_AWAY: Ending = Ending::ByGateway { code: 1001, reason: "Going away" };
    const DELETED: Ending = Ending::ByGateway { code: 1000, reason: "Connection Closed Normally" };

    /// `disconnectStatusCode` and `disconnectReason`.
    fn described(&self) -> (u16, &str) {
        match self {
            Ending::ByClient { code, reason } => (*code, reason),
            Ending::ByGateway { code, reason } => (*code, reason),
            Ending::Broken => (1006, "Connection closed abnormally"),
        }
    }
}

/// Runs a connection that was accepted: its messages, its end, its `$disconnect`.
pub(super) async fn run(
    api: Arc<Api>,
    connection: Arc<Connection>,
    to_write: mpsc::UnboundedReceiver<Outgoing>,
    upgrade: OnUpgrade,
    life: Life,
) {
    let ending = match upgrade.await {
        Ok(upgraded) => {
            let stream =
                WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config(&api.limits)));
            converse(&api, &connection, to_write, stream.await).await
        }
        // The client went away while $connect ran.
        Err(_) => Ending::Broken,
    };
    api.connections.remove(&connection.caller.connection_id);
    let strikes = |kind| api.faults.strike(kind, "", "");
    if strikes(Kind::DisconnectNever).is_none() {
        if let Some(late) = strikes(Kind::DisconnectLate) {
            let mut stopping = api.stopping.clone();
            tokio::select! {
                () = tokio::time::sleep(late.after) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
        disconnect(&api, &connection, &ending).await;
        if strikes(Kind::DisconnectTwice).is_some() {
            disconnect(&api, &connection, &ending).await;
        }
    }
    drop(life);
}

/// Runs `$disconnect`, where there is one.
async fn disconnect(api: &Api, connection: &Connection, ending: &Ending) {
    let Some(route) = api.model.routes.get("$disconnect") else { return };
    let (code, reason) = ending.described();
    let event = api.envelope.disconnect(&connection.caller, &new_id(), code, reason);
    if let Err(problem) = api.functions.invoke(&route.function, event.to_string().into()).await {
        tracing::warn!(%problem, "$disconnect failed");
    }
}

fn config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.frame_bytes))
        .read_buffer_size(8 * 1024)
        // Each frame goes out at once.
        .write_buffer_size(0)
}

/// Reads and writes until there is an end, and closes.
async fn converse(
    api: &Arc<Api>,
    connection: &Arc<Connection>,
    to_write: mpsc::UnboundedReceiver<Outgoing>,
    stream: Stream,
) -> Ending {
    let (sink, mut stream) = stream.split();
    let (finish, finished) = oneshot::channel();
    let mut writer = tokio::spawn(write(connection.clone(), sink, to_write, finished, api.faults.clone()));
    let mut stopping = api.stopping.clone();
    let ending = tokio::select! {
        ending = read(api, connection, &mut stream) => ending,
        () = connection.deleted() => Ending::DELETED,
        () = idle(connection, api.limits.idle) => Ending::GOING_AWAY,
        () = tokio::time::sleep(api.limits.longest) => Ending::GOING_AWAY,
        _ = stopping.wait_for(|stopping| *stopping) => Ending::GOING_AWAY,
        _ = &mut writer => Ending::Broken,
    };
    // Nothing can be pushed any more, so that what waits now is all that ever will.
    api.connections.remove(&connection.caller.connection_id);
    if ending != Ending::Broken {
        let closing = async {
            let _ = finish.send(());
            if let Ok(Some(sink)) = (&mut writer).await
                && let Ok(whole) = stream.reunite(sink)
            {
                close(whole, &ending).await;
            }
        };
        // A client that reads nothing is not waited for any longer.
        let _ = tokio::time::timeout(CLOSING, closing).await;
    }
    writer.abort();
    ending
}

/// Reads messages and starts their functions, side by side as on AWS: a slow one does not hold up the next.
async fn read(api: &Arc<Api>, connection: &Arc<Connection>, stream: &mut SplitStream<Stream>) -> Ending {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => {
                connection.touch();
                let cut = api.faults.strike(Kind::ConnectionCut, "", "");
                if cut.is_some_and(|cut| cut.among(2) == 0) {
                    return Ending::Broken;
                }
                tokio::spawn(message(api.clone(), connection.clone(), text.as_str().to_owned()));
                if cut.is_some() {
                    return Ending::Broken;
                }
            }
            Some(Ok(Message::Binary(_))) => {
                return Ending::ByGateway { code: 1003, reason: "Binary frames are not supported" };
            }
            Some(Ok(Message::Close(Some(frame)))) => {
                return Ending::ByClient { code: frame.code.into(), reason: frame.reason.as_str().to_owned() };
            }
            Some(Ok(Message::Close(None))) => {
                return Ending::ByClient { code: 1005, reason: "Client-side close frame status not set".to_owned() };
            }
            // Pings are answered by the library; neither they nor pongs are messages.
            Some(Ok(_)) => {}
            Some(Err(Error::Capacity(_))) => return Ending::ByGateway { code: 1009, reason: "Message too long" },
            Some(Err(Error::Utf8(_))) => return Ending::ByGateway { code: 1007, reason: "Text is not UTF-8" },
            Some(Err(Error::Protocol(problem))) if problem != ProtocolError::ResetWithoutClosingHandshake => {
                return Ending::ByGateway { code: 1002, reason: "Protocol error" };
            }
            Some(Err(_)) | None => return Ending::Broken,
        }
    }
}

/// Writes frames until told to finish; then those that still wait. Hands the sink back unless the connection broke.
async fn write(
    connection: Arc<Connection>,
    mut sink: SplitSink<Stream, Message>,
    mut to_write: mpsc::UnboundedReceiver<Outgoing>,
    mut finish: oneshot::Receiver<()>,
    faults: Faults,
) -> Option<SplitSink<Stream, Message>> {
    let mut finishing = false;
    loop {
        let next = tokio::select! {
            next = to_write.recv() => next,
            _ = &mut finish, if !finishing => {
                finishing = true;
                to_write.close();
                continue;
            }
        };
        let Some(Outgoing { text, room }) = next else { return Some(sink) };
        if faults.strike(Kind::ConnectionCut, "", "").is_some() || sink.send(Message::text(text)).await.is_err() {
            return None;
        }
        // Only what is written makes room for more.
        drop(room);
        connection.touch();
    }
}

/// Waits until no message has come or gone for so long.
async fn idle(connection: &Connection, limit: Duration) {
    loop {
        let left = limit.saturating_sub(connection.idle_since().elapsed());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

/// Ends the conversation in order.
async fn close(mut stream: Stream, ending: &Ending) {
    match ending {
        // The library has answered the client's closing frame, or does on the next reading; then the client hears the end.
        Ending::ByClient { .. } => while let Some(Ok(_)) = stream.next().await {},
        Ending::ByGateway { code, reason } => {
            let frame = CloseFrame { code: CloseCode::from(*code), reason: (*reason).into() };
            if stream.close(Some(frame)).await.is_ok() {
                // The client may be in the middle of a frame that nobody wants. Were the socket closed with some of it
                // unread, the client would get a reset and lose the closing frame: so what comes is read until its end.
                let mut socket = stream.into_inner();
                let _ = socket.shutdown().await;
                let mut rest = vec![0; 16 * 1024];
                while matches!(socket.read(&mut rest).await, Ok(read) if read > 0) {}
            }
        }
        Ending::Broken => {}
    }
}

/// Runs one message's function, and sends what is to be sent for it.
async fn message(api: Arc<Api>, connection: Arc<Connection>, text: String) {
    let caller = &connection.caller;
    let request_id = new_id();
    let refused = |message: &str| {
        json!({ "message": message, "connectionId": caller.connection_id, "requestId": request_id }).to_string()
    };
    let key = api.selection.key(&text).filter(|key| !key.starts_with('$'));
    let route = key.and_then(|key| api.model.routes.get(&key)).or_else(|| api.model.routes.get("$default"));
    let Some(route) = route else {
        return connection.reply(refused("Forbidden")).await;
    };
    let event = api.envelope.message(caller, &route.key, &request_id, &text);
    drop(text);
    let overhead = || api.faults.floor(|latencies| latencies.api_gateway.as_ref());
    overhead().passed().await;
    let invocation = api.functions.invoke(&route.function, event.to_string().into());
    let reply = match tokio::time::timeout(route.integration_timeout, invocation).await {
        Ok(Ok(result)) if route.response => match body_of(&result, api.limits.message_bytes) {
            Ok(body) => body,
            Err(problem) => {
                tracing::warn!(route = route.key, problem, "a function's result cannot be sent");
                Some(refused("Internal server error"))
            }
        },
        Ok(Ok(_)) => None,
        Ok(Err(problem)) => {
            tracing::warn!(route = route.key, %problem, "a route's function failed");
            Some(refused("Internal server error"))
        }
        Err(_) => Some(refused("Endpoint request timed out")),
    };
    if let Some(reply) = reply {
        overhead().passed().await;
        connection.reply(reply).await;
    }
}

/// The body of a function's result, where there is one. Without a `statusCode` it is no result.
fn body_of(result: &Bytes, limit: usize) -> Result<Option<String>, &'static str> {
    let result: Value = serde_json::from_slice(result).map_err(|_| "it is no JSON")?;
    if !(result["statusCode"].is_u64() || result["statusCode"].is_string()) {
        return Err("it has no statusCode");
    }
    let body = match &result["body"] {
        Value::Null => return Ok(None),
        Value::String(body) if result["isBase64Encoded"] == true => {
            let bytes = STANDARD.decode(body).map_err(|_| "its body is not Base64")?;
            String::from_utf8(bytes).map_err(|_| "its body is not UTF-8")?
        }
        Value::String(body) => body.clone(),
        _ => return Err("its body is no text"),
    };
    if body.len() > limit {
        return Err("its body is larger than a message may be");
    }
    Ok(Some(body).filter(|body| !body.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(result: Value) -> Result<Option<String>, &'static str> {
        body_of(&Bytes::from(result.to_string()), 10)
    }

    #[test]
    fn a_result_is_a_status_and_perhaps_a_body() {
        assert_eq!(body(json!({"statusCode": 200, "body": "hi"})), Ok(Some("hi".into())));
        assert_eq!(body(json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true})), Ok(Some("hi".into())));
        assert_eq!(body(json!({"statusCode": 200})), Ok(None));
        assert_eq!(body(json!({"statusCode": 200, "body": ""})), Ok(None));
    }

    #[test]
    fn what_is_no_result_is_refused() {
        for result in [
            json!("hi"),
            json!({}),
            json!({"body": "hi"}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": "eleven byte"}),
        ] {
            assert!(body(result.clone()).is_err(), "{result}");
        }
    }
}
