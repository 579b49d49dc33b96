//! The consultation that the demonstration starts with, opened as a client would open it: through the WebSocket.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::{Uuid, uuid};

use crate::people::{CONSULTATION, Person, coordinator, patient};

/// How long one answer may take. `cargo lambda watch` compiles a function on its first call, which takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The entries that a consultation begins with: the one that records its opening, and one message of each side.
const FIRST_ENTRIES: u64 = 3;

/// What each side says first. The patient's message is the one of `events/send-message.json`, so that invoking the
/// function with that file meets a room in which it was already sent.
const FIRST_WORDS: [FirstWords; 2] = [
    FirstWords {
        person: patient,
        message_id: uuid!("7d0c6a3e-52f1-4a5b-9b0e-3f6d1c2a8e94"),
        message: "こんにちは。予約したいです。",
        language: "ja",
    },
    FirstWords {
        person: coordinator,
        message_id: uuid!("7d0c6a3e-52f1-4a5b-9b0e-3f6d1c2a8e95"),
        message: "안녕하세요. 어떻게 도와드릴까요?",
        language: "ko",
    },
];

struct FirstWords {
    person: fn() -> Person,
    message_id: Uuid,
    message: &'static str,
    language: &'static str,
}

/// Why the consultation could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConsultationError {
    /// The WebSocket failed.
    #[error("the demonstration's consultation could not be opened: {0}")]
    Socket(#[from] Box<tungstenite::Error>),
    /// A route said no, or API Gateway said that a function failed.
    #[error("the demonstration's consultation could not be opened: {action} answered {answer}")]
    Refused {
        /// The action that was asked for.
        action: &'static str,
        /// The frame that came back.
        answer: String,
    },
    /// No answer came.
    #[error(
        "the demonstration's consultation could not be opened: {action} was not answered; the functions' own messages stand above"
    )]
    Silent {
        /// The action that was asked for.
        action: &'static str,
    },
}

/// Opens the consultation of [`patient`] and [`coordinator`] and lets each say one sentence. Doing it again changes
/// nothing: the room's id and the messages' ids are always the same.
///
/// # Errors
///
/// When a function refuses or fails; the sentence names the action.
pub async fn open(websocket_url: &str, token_of: impl Fn(&Person) -> String) -> Result<(), ConsultationError> {
    let mut side = Side::connect(websocket_url, &token_of(&patient())).await?;
    let reply =
        side.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic", "language": "ja"})).await?;
    if reply["room"]["last_seq"].as_u64() >= Some(FIRST_ENTRIES) {
        return Ok(());
    }
    for FirstWords { person, message_id, message, language } in FIRST_WORDS {
        let mut side = Side::connect(websocket_url, &token_of(&person())).await?;
        let words =
            json!({"room_id": CONSULTATION, "message_id": message_id, "message": message, "language": language});
        side.ask("sendMessage", words).await?;
    }
    Ok(())
}

/// One side's connection, which asks one thing at a time.
struct Side(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Side {
    async fn connect(websocket_url: &str, token: &str) -> Result<Self, ConsultationError> {
        let mut request = websocket_url.into_client_request().map_err(Box::new)?;
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(tungstenite::http::Error::from);
        request.headers_mut().insert(AUTHORIZATION, bearer.map_err(|error| Box::new(error.into()))?);
        let (socket, _) = connect_async(request).await.map_err(Box::new)?;
        Ok(Self(socket))
    }

    async fn ask(&mut self, action: &'static str, fields: Value) -> Result<Value, ConsultationError> {
        let mut request = fields;
        request["action"] = json!(action);
        request["request_id"] = json!(action);
        self.0.send(Message::text(request.to_string())).await.map_err(Box::new)?;
        let reply = timeout(PATIENCE, self.reply(action)).await.map_err(|_| ConsultationError::Silent { action })??;
        if reply["type"] == "reply" {
            Ok(reply)
        } else {
            Err(ConsultationError::Refused { action, answer: reply.to_string() })
        }
    }

    /// Reads on to the answer, past events, which carry no `request_id`. A frame of API Gateway itself carries no
    /// `type`.
    async fn reply(&mut self, action: &'static str) -> Result<Value, ConsultationError> {
        while let Some(frame) = self.0.next().await {
            let Message::Text(text) = frame.map_err(Box::new)? else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
            if frame["request_id"] == action || frame["type"].is_null() {
                return Ok(frame);
            }
        }
        Err(ConsultationError::Silent { action })
    }
}
