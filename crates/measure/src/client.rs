//! A client that notes when and how much: its requests wait for their replies, and what is pushed to it comes with its moment.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::WebSocket;
use testkit::websocket::{HandshakeError, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a reply may take: longer than anything does, also at AWS's latencies on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client could not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The handshake failed.
    #[error("a client cannot connect: {0}")]
    Handshake(#[from] HandshakeError),
    /// The connection ended.
    #[error("a client's connection ended while it waited for {0}")]
    Ended(String),
    /// Nothing came.
    #[error("a client waited in vain for {0}")]
    Late(String),
    /// An error came instead of a reply.
    #[error("{action} was refused: {answer}")]
    Refused {
        /// What was asked.
        action: String,
        /// What came.
        answer: Value,
    },
}

/// What went over all clients' connections. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    metered: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    pushed: AtomicU64,
}

/// The traffic up to one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Messages as API Gateway meters them: each frame in either direction, per 32 KB begun.
    pub metered: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// Frames that were no replies.
    pub pushed: u64,
}

impl Traffic {
    /// What went up to now.
    #[must_use]
    pub fn sum(&self) -> Sum {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { metered, bytes_in, bytes_out, pushed } = &*self.0;
        Sum { metered: read(metered), bytes_in: read(bytes_in), bytes_out: read(bytes_out), pushed: read(pushed) }
    }

    fn frame(&self, bytes: usize, counter: impl Fn(&Counters) -> &AtomicU64) {
        /// <https://aws.amazon.com/api-gateway/pricing/>
        const METERED: usize = 32 * 1024;
        let add = |counter: &AtomicU64, amount: usize| {
            counter.fetch_add(u64::try_from(amount).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        add(&self.0.metered, bytes.div_ceil(METERED));
        add(counter(&self.0), bytes);
    }
}

/// Who waits for which text, and which have come.
#[derive(Debug, Default)]
struct Heard {
    texts: HashMap<String, Text>,
    doubles: u64,
}

#[derive(Debug)]
enum Text {
    Awaited(oneshot::Sender<Instant>),
    Came(Instant),
    Told,
}

impl Heard {
    fn came(&mut self, text: &str, at: Instant) {
        match self.texts.remove(text) {
            None => drop(self.texts.insert(text.to_owned(), Text::Came(at))),
            Some(Text::Awaited(waiting)) => {
                // Whoever waited may have given up.
                let _ = waiting.send(at);
                self.texts.insert(text.to_owned(), Text::Told);
            }
            Some(known) => {
                self.doubles += 1;
                self.texts.insert(text.to_owned(), known);
            }
        }
    }

    fn wait_for(&mut self, text: &str) -> oneshot::Receiver<Instant> {
        let (waiting, came) = oneshot::channel();
        if let Some(Text::Came(at)) = self.texts.insert(text.to_owned(), Text::Told) {
            // The receiver is at hand.
            let _ = waiting.send(at);
        } else {
            self.texts.insert(text.to_owned(), Text::Awaited(waiting));
        }
        came
    }
}

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

/// An open connection. Dropping it cuts it.
#[derive(Debug)]
pub struct Client {
    outgoing: tokio::sync::Mutex<Sender>,
    waiting: Waiting,
    traffic: Traffic,
    requests: AtomicU64,
    heard: Arc<Mutex<Heard>>,
    reader: JoinHandle<()>,
}

impl Client {
    /// Connects with a token in the header.
    ///
    /// # Errors
    ///
    /// [`ClientError::Handshake`].
    pub async fn connect(url: &str, token: &str, traffic: &Traffic) -> Result<Self, ClientError> {
        let WebSocket { sender: outgoing, receiver: mut incoming, .. } =
            WebSocket::connect_with_token(url, token).await?;
        let (waiting, heard) = (Waiting::default(), Arc::<Mutex<Heard>>::default());
        let (expected, counted, hearing) = (waiting.clone(), traffic.clone(), heard.clone());
        let reader = tokio::spawn(async move {
            while let Ok(text) = incoming.next().await {
                let at = Instant::now();
                let Ok(frame) = serde_json::from_str::<Value>(&text) else { continue };
                counted.frame(text.len(), |counters| &counters.bytes_out);
                let id = frame["request_id"].as_str().unwrap_or_default();
                let asked = expected.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
                match asked {
                    Some(asked) => drop(asked.send(frame)),
                    None => {
                        counted.0.pushed.fetch_add(1, Ordering::Relaxed);
                        if let (Some("message"), Some(text)) = (frame["type"].as_str(), frame["message"].as_str())
                            && !text.is_empty()
                        {
                            hearing.lock().unwrap_or_else(PoisonError::into_inner).came(text, at);
                        }
                    }
                }
            }
        });
        Ok(Self {
            outgoing: tokio::sync::Mutex::new(outgoing),
            waiting,
            traffic: traffic.clone(),
            requests: AtomicU64::new(0),
            heard,
            reader,
        })
    }

    /// Sends a request and waits for whatever answers it.
    ///
    /// # Errors
    ///
    /// [`ClientError::Ended`] and [`ClientError::Late`].
    pub async fn request(&self, action: &str, mut fields: Value) -> Result<Value, ClientError> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed).to_string();
        fields["action"] = action.into();
        fields["request_id"] = id.clone().into();
        let (asked, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, asked);
        let text = fields.to_string();
        self.traffic.frame(text.len(), |counters| &counters.bytes_in);
        let sent = self.outgoing.lock().await.send(text).await;
        sent.map_err(|_| ClientError::Ended(action.to_owned()))?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(ClientError::Ended(action.to_owned())),
            Err(_) => Err(ClientError::Late(action.to_owned())),
        }
    }

    /// Sends a request that is not refused.
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

    /// When the message of this text came, which is waited for.
    ///
    /// # Errors
    ///
    /// [`ClientError::Late`].
    pub async fn hears(&self, text: &str) -> Result<Instant, ClientError> {
        let came = self.heard.lock().unwrap_or_else(PoisonError::into_inner).wait_for(text);
        match tokio::time::timeout(PATIENCE, came).await {
            Ok(Ok(at)) => Ok(at),
            Ok(Err(_)) => Err(ClientError::Ended("a message".to_owned())),
            Err(_) => Err(ClientError::Late("a message".to_owned())),
        }
    }

    /// How many messages came that had come before.
    #[must_use]
    pub fn doubles(&self) -> u64 {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).doubles
    }

    /// Says goodbye, and waits until the other side has too.
    pub async fn leave(mut self) {
        self.outgoing.lock().await.close().await;
        let _ = tokio::time::timeout(PATIENCE, &mut self.reader).await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
