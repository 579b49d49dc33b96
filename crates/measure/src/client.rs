//! A client for measurements: its requests wait for their replies, and it records when each message arrives.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::WebSocket;
use testkit::websocket::{HandshakeError, Receiver, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::traffic::Traffic;

/// How long a client waits for a reply or a message: longer than anything takes, even at AWS's latencies on a busy
/// machine.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("a client failed to connect: {0}")]
    Handshake(#[from] HandshakeError),
    #[error("a client's connection ended while it waited for {0}")]
    Disconnected(String),
    #[error("a client waited for {0} longer than {REPLY_TIMEOUT:?}")]
    TimedOut(String),
    #[error("{action} was refused: {answer}")]
    Refused { action: String, answer: Value },
}

/// The messages that arrived or are awaited.
#[derive(Debug, Default)]
struct Messages {
    by_text: HashMap<String, Arrival>,
    duplicates: u64,
}

#[derive(Debug)]
enum Arrival {
    Awaited(oneshot::Sender<Instant>),
    Arrived(Instant),
    /// It arrived, and its time was returned.
    Reported,
}

impl Messages {
    fn arrived(&mut self, text: &str, at: Instant) {
        match self.by_text.remove(text) {
            None => drop(self.by_text.insert(text.to_owned(), Arrival::Arrived(at))),
            Some(Arrival::Awaited(waiting)) => {
                // The waiting call may have timed out.
                let _ = waiting.send(at);
                self.by_text.insert(text.to_owned(), Arrival::Reported);
            }
            Some(known @ (Arrival::Arrived(_) | Arrival::Reported)) => {
                self.duplicates += 1;
                self.by_text.insert(text.to_owned(), known);
            }
        }
    }

    fn wait_for(&mut self, text: &str) -> oneshot::Receiver<Instant> {
        let (sender, receiver) = oneshot::channel();
        if let Some(Arrival::Arrived(at)) = self.by_text.insert(text.to_owned(), Arrival::Reported) {
            // The receiver still exists.
            let _ = sender.send(at);
        } else {
            self.by_text.insert(text.to_owned(), Arrival::Awaited(sender));
        }
        receiver
    }
}

type PendingReplies = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

/// An open connection. Dropping it cuts it.
#[derive(Debug)]
pub struct Client {
    sender: tokio::sync::Mutex<Sender>,
    pending: PendingReplies,
    traffic: Traffic,
    last_request: AtomicU64,
    messages: Arc<Mutex<Messages>>,
    reader: JoinHandle<()>,
}

impl Client {
    /// Connects with a token in the header.
    ///
    /// # Errors
    ///
    /// [`ClientError::Handshake`].
    pub async fn connect(url: &str, token: &str, traffic: &Traffic) -> Result<Self, ClientError> {
        let socket = WebSocket::connect_with_token(url, token).await?;
        let pending = PendingReplies::default();
        let messages = Arc::<Mutex<Messages>>::default();
        let reader = tokio::spawn(read(socket.receiver, pending.clone(), messages.clone(), traffic.clone()));
        Ok(Self {
            sender: tokio::sync::Mutex::new(socket.sender),
            pending,
            traffic: traffic.clone(),
            last_request: AtomicU64::new(0),
            messages,
            reader,
        })
    }

    /// Sends a request and waits for its answer, a reply or an error.
    ///
    /// # Errors
    ///
    /// [`ClientError::Disconnected`] and [`ClientError::TimedOut`].
    pub async fn request(&self, action: &str, mut fields: Value) -> Result<Value, ClientError> {
        let id = self.last_request.fetch_add(1, Ordering::Relaxed).to_string();
        fields["action"] = action.into();
        fields["request_id"] = id.clone().into();
        let (answered, answer) = oneshot::channel();
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(id, answered);
        let text = fields.to_string();
        self.traffic.count_sent(text.len());
        let sent = self.sender.lock().await.send(text).await;
        sent.map_err(|_| ClientError::Disconnected(action.to_owned()))?;
        match tokio::time::timeout(REPLY_TIMEOUT, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(ClientError::Disconnected(action.to_owned())),
            Err(_) => Err(ClientError::TimedOut(action.to_owned())),
        }
    }

    /// Sends a request that must succeed, and returns its reply.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn ask(&self, action: &str, fields: Value) -> Result<Value, ClientError> {
        match self.request(action, fields).await? {
            reply if reply["type"] == "reply" => Ok(reply),
            answer => Err(ClientError::Refused { action: action.to_owned(), answer }),
        }
    }

    /// Waits for the message with this text, and returns when it arrived.
    ///
    /// # Errors
    ///
    /// [`ClientError::Disconnected`] and [`ClientError::TimedOut`].
    pub async fn wait_for_message(&self, text: &str) -> Result<Instant, ClientError> {
        let arrival = self.messages.lock().unwrap_or_else(PoisonError::into_inner).wait_for(text);
        match tokio::time::timeout(REPLY_TIMEOUT, arrival).await {
            Ok(Ok(at)) => Ok(at),
            Ok(Err(_)) => Err(ClientError::Disconnected("a message".to_owned())),
            Err(_) => Err(ClientError::TimedOut("a message".to_owned())),
        }
    }

    /// How many messages arrived that had arrived before.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).duplicates
    }

    /// Closes the connection, and waits until the server has closed it too.
    pub async fn close(mut self) {
        self.sender.lock().await.close().await;
        let _ = tokio::time::timeout(REPLY_TIMEOUT, &mut self.reader).await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads frames until the connection ends.
async fn read(mut receiver: Receiver, pending: PendingReplies, messages: Arc<Mutex<Messages>>, traffic: Traffic) {
    while let Ok(text) = receiver.next().await {
        let at = Instant::now();
        let Ok(frame) = serde_json::from_str::<Value>(&text) else { continue };
        traffic.count_received(text.len());
        let id = frame["request_id"].as_str().unwrap_or_default();
        let answered = pending.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(answered) = answered {
            // The request may have timed out.
            let _ = answered.send(frame);
            continue;
        }
        traffic.count_push();
        let message = frame["message"].as_str().filter(|text| !text.is_empty());
        if frame["type"] == "message"
            && let Some(message) = message
        {
            messages.lock().unwrap_or_else(PoisonError::into_inner).arrived(message, at);
        }
    }
}
