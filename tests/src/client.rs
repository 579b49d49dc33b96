//! A client: one WebSocket, its requests, and the events that are pushed to it.

use std::collections::VecDeque;

use serde_json::{Value, json};
use testkit::websocket::{Disconnected, HandshakeError, Sender, WebSocket};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::waiting::DEADLINE;

/// Where a client puts its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer …`, like native clients.
    Header,
    /// `Sec-WebSocket-Protocol: damso.v1, bearer.…`, like browsers.
    Subprotocol,
    /// `?token=…`, for experiments.
    Query,
}

/// A handshake that did not become a WebSocket.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub body: String,
}

/// One frame, or the end of the connection.
#[derive(Debug)]
enum Frame {
    Json(Value),
    Closed(Option<u16>),
}

/// An open connection.
#[derive(Debug)]
pub struct Client {
    outgoing: Sender,
    incoming: UnboundedReceiver<Frame>,
    /// Frames that arrived while the test waited for others, oldest first.
    kept: VecDeque<Value>,
    closed: Option<Option<u16>>,
    requests: u64,
    /// The headers of the response to the handshake.
    pub handshake: HeaderMap,
}

impl Client {
    /// Opens a WebSocket with or without a token.
    ///
    /// # Errors
    ///
    /// The HTTP response, if the handshake was refused.
    pub async fn connect(url: &str, token: Option<(&str, Credential)>) -> Result<Self, Refusal> {
        let mut headers = HeaderMap::new();
        let mut url = url.to_owned();
        match token {
            Some((token, Credential::Header)) => {
                headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
            }
            Some((token, Credential::Subprotocol)) => {
                headers.insert("sec-websocket-protocol", format!("damso.v1, bearer.{token}").parse().unwrap());
            }
            Some((token, Credential::Query)) => url = format!("{url}?token={token}"),
            None => {}
        }
        Self::connect_with_headers(&url, headers).await
    }

    /// Opens a WebSocket with these headers in addition to those of every handshake.
    ///
    /// # Errors
    ///
    /// The HTTP response, if the handshake was refused.
    pub async fn connect_with_headers(url: &str, headers: HeaderMap) -> Result<Self, Refusal> {
        let socket = match WebSocket::connect(url, headers).await {
            Ok(socket) => socket,
            Err(HandshakeError::Refused { status, body }) => return Err(Refusal { status, body }),
            Err(error) => panic!("{error}"),
        };
        let WebSocket { sender: outgoing, mut receiver, headers: handshake } = socket;
        let (frames, incoming) = unbounded_channel();
        tokio::spawn(async move {
            let closed = loop {
                match receiver.next().await {
                    Ok(text) => {
                        let frame = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "not_json": text }));
                        if frames.send(Frame::Json(frame)).is_err() {
                            return;
                        }
                    }
                    Err(Disconnected::Closed(code)) => break code,
                    Err(Disconnected::Cut) => break None,
                }
            };
            let _ = frames.send(Frame::Closed(closed));
        });
        Ok(Self { outgoing, incoming, kept: VecDeque::new(), closed: None, requests: 0, handshake })
    }

    /// Sends a request and returns its answer: a reply or an error.
    pub async fn request(&mut self, action: &str, fields: Value) -> Value {
        let request_id = self.post(action, fields).await;
        self.answer(&request_id).await
    }

    /// Sends a request without waiting; returns the `request_id` under which [`Self::answer`] finds its answer.
    pub async fn post(&mut self, action: &str, fields: Value) -> String {
        self.requests += 1;
        let request_id = format!("request-{}", self.requests);
        let mut request = fields;
        request["action"] = json!(action);
        request["request_id"] = json!(request_id);
        self.send(request.to_string()).await;
        request_id
    }

    /// Waits for the answer to a request.
    pub async fn answer(&mut self, request_id: &str) -> Value {
        self.frame(&format!("the answer to {request_id}"), |frame| frame["request_id"] == request_id).await
    }

    /// Sends a request that must succeed, and returns its reply.
    pub async fn ask(&mut self, action: &str, fields: Value) -> Value {
        let said = fields.to_string();
        let answer = self.request(action, fields).await;
        assert_eq!(answer["type"], "reply", "{action} {said} was answered by {answer}");
        assert_eq!(answer["action"], action, "a reply names its action");
        answer
    }

    /// Sends a request that must be refused with `code`, and returns the error.
    pub async fn refused(&mut self, action: &str, fields: Value, code: &str) -> Value {
        let said = fields.to_string();
        let answer = self.request(action, fields).await;
        assert_eq!(answer["type"], "error", "{action} {said} was answered by {answer}");
        assert_eq!(answer["code"], code, "{action} {said} was answered by {answer}");
        assert!(!answer["message"].as_str().unwrap_or_default().is_empty(), "an error has a message: {answer}");
        answer
    }

    /// Sends one text to a room and returns its `seq`.
    pub async fn say(&mut self, room_id: &str, message: &str) -> u64 {
        let reply = self.ask("sendMessage", json!({"room_id": room_id, "message": message})).await;
        reply["seq"].as_u64().expect("seq is a number")
    }

    /// Waits for a pushed event of this type for which `matches` holds.
    pub async fn event(&mut self, kind: &str, matches: impl Fn(&Value) -> bool) -> Value {
        self.frame(&format!("an event of type {kind}"), |frame| {
            frame["type"] == kind && frame["request_id"].is_null() && matches(frame)
        })
        .await
    }

    /// Waits for the `message` event with this text.
    pub async fn hears(&mut self, message: &str) -> Value {
        self.event("message", |event| event["message"] == message).await
    }

    /// Waits for a frame for which `matches` holds and takes it. Other frames are kept for later.
    pub async fn frame(&mut self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.kept.iter().position(&matches) {
            return self.kept.remove(index).expect("the position was just found");
        }
        loop {
            let next = timeout(DEADLINE, self.incoming.recv()).await;
            match next.ok().flatten() {
                Some(Frame::Json(frame)) if matches(&frame) => return frame,
                Some(Frame::Json(frame)) => self.kept.push_back(frame),
                Some(Frame::Closed(code)) => {
                    self.closed = Some(code);
                    panic!(
                        "waited for {what}, but the connection was closed with {code:?}; had received {:#?}",
                        self.kept
                    );
                }
                None => panic!("waited for {what}; had received {:#?}", self.kept),
            }
        }
    }

    /// Takes everything that has arrived, including what was pushed before this call: it waits for the reply to a
    /// request of its own, and frames keep their order on a socket. Most tests call [`crate::World::settled`] first.
    pub async fn rest(&mut self) -> Vec<Value> {
        self.ask("sync", json!({"rooms": {}})).await;
        self.kept.drain(..).collect()
    }

    /// Sends a text frame.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.outgoing.send(text).await.expect("the connection is open");
    }

    /// Sends a binary frame.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.outgoing.send_binary(bytes).await.expect("the connection is open");
    }

    /// Whether the connection is still open and the server answers.
    pub async fn lasts(&mut self) -> bool {
        let question = json!({"action": "sync", "rooms": {}, "request_id": "lasts"});
        if self.closed.is_some() || self.outgoing.send(question.to_string()).await.is_err() {
            return false;
        }
        loop {
            match timeout(DEADLINE, self.incoming.recv()).await.expect("an answer or the end in time") {
                Some(Frame::Json(frame)) if frame["request_id"] == "lasts" => return true,
                Some(Frame::Json(frame)) => self.kept.push_back(frame),
                Some(Frame::Closed(code)) => self.closed = Some(code),
                None => self.closed = Some(None),
            }
            if self.closed.is_some() {
                return false;
            }
        }
    }

    /// Waits until the server closes the connection, and returns its close code.
    pub async fn closed(&mut self) -> Option<u16> {
        while self.closed.is_none() {
            match timeout(DEADLINE, self.incoming.recv()).await.expect("the connection is closed in time") {
                Some(Frame::Json(frame)) => self.kept.push_back(frame),
                Some(Frame::Closed(code)) => self.closed = Some(code),
                None => self.closed = Some(None),
            }
        }
        self.closed.flatten()
    }

    /// Closes the connection with a closing frame.
    pub async fn leave(mut self) {
        self.outgoing.close().await;
        self.closed().await;
    }
}
