//! The demo consultation, opened as a client would open it: over the WebSocket.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::people::{CONSULTATION, Person, coordinator, patient};
use testkit::websocket::{Disconnected, HandshakeError, WebSocket};
use tokio::time::timeout;
use uuid::{Uuid, uuid};

/// How long one reply may take. `cargo lambda watch` compiles a function when it is first called, which takes minutes.
const REPLY_TIMEOUT: Duration = Duration::from_secs(600);

/// The entries that the demo begins with: the one that records its opening, and one message from each side.
const INITIAL_ENTRIES: u64 = 3;

/// The first message of each side. The patient's is the one in `events/send-message.json`, so that invoking the
/// function with that file finds a room in which it was already sent.
const FIRST_MESSAGES: [FirstMessage; 2] = [
    FirstMessage {
        sender: patient,
        message_id: uuid!("7d0c6a3e-52f1-4a5b-9b0e-3f6d1c2a8e94"),
        message: "こんにちは。予約したいです。",
        language: "ja",
    },
    FirstMessage {
        sender: coordinator,
        message_id: uuid!("7d0c6a3e-52f1-4a5b-9b0e-3f6d1c2a8e95"),
        message: "안녕하세요. 어떻게 도와드릴까요?",
        language: "ko",
    },
];

struct FirstMessage {
    sender: fn() -> Person,
    message_id: Uuid,
    message: &'static str,
    language: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Disconnected(#[from] Disconnected),
    #[error("{action} was answered with {answer}")]
    Refused { action: &'static str, answer: String },
    #[error("{action} got no reply within {REPLY_TIMEOUT:?}; see the functions' log above")]
    TimedOut { action: &'static str },
}

/// Opens the consultation of [`patient`] and [`coordinator`] and sends one message from each. Repeating it changes
/// nothing, because the ids of the room and of the messages never change.
pub async fn open(websocket_url: &str, token_of: impl Fn(&Person) -> String) -> Result<(), DemoError> {
    let room = json!({"kind": "consult", "hospital_id": "seoul-clinic", "language": "ja"});
    let mut socket = WebSocket::connect_with_token(websocket_url, &token_of(&patient())).await?;
    let reply = request(&mut socket, "createRoom", room).await?;
    if reply["room"]["last_seq"].as_u64() >= Some(INITIAL_ENTRIES) {
        return Ok(());
    }
    for FirstMessage { sender, message_id, message, language } in FIRST_MESSAGES {
        let mut socket = WebSocket::connect_with_token(websocket_url, &token_of(&sender())).await?;
        let message =
            json!({"room_id": CONSULTATION, "message_id": message_id, "message": message, "language": language});
        request(&mut socket, "sendMessage", message).await?;
    }
    Ok(())
}

/// Sends a request and waits for its reply.
async fn request(socket: &mut WebSocket, action: &'static str, mut fields: Value) -> Result<Value, DemoError> {
    fields["action"] = json!(action);
    fields["request_id"] = json!(action);
    socket.sender.send(fields.to_string()).await?;
    let answer = timeout(REPLY_TIMEOUT, answer(socket, action)).await.map_err(|_| DemoError::TimedOut { action })??;
    if answer["type"] == "reply" { Ok(answer) } else { Err(DemoError::Refused { action, answer: answer.to_string() }) }
}

/// Reads until the answer, skipping events, which have no `request_id`. A frame of API Gateway's own has no `type`.
async fn answer(socket: &mut WebSocket, action: &'static str) -> Result<Value, DemoError> {
    loop {
        let text = socket.receiver.next().await?;
        let frame: Value = serde_json::from_str(&text).unwrap_or_default();
        if frame["request_id"] == action || frame["type"].is_null() {
            return Ok(frame);
        }
    }
}
