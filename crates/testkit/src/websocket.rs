//! One WebSocket connection from a client's side: the handshake, text frames in both directions, and its end.

use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a handshake may take. API Gateway gives `$connect` 29 seconds.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the other side may take to end the TCP connection after a closing frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

type Connection = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An open connection. Dropping both halves cuts it without a closing frame.
#[derive(Debug)]
pub struct WebSocket {
    pub sender: Sender,
    pub receiver: Receiver,
    /// The headers of the response to the handshake.
    pub headers: HeaderMap,
}

/// The sending half.
#[derive(Debug)]
pub struct Sender(SplitSink<Connection, Message>);

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    stream: SplitStream<Connection>,
    /// The code of the closing frame that was received, if one was and if it has one.
    close_frame: Option<Option<u16>>,
}

#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The server answered with an HTTP response instead of switching protocols.
    #[error("the server refused the handshake with status {status}: {body}")]
    Refused { status: u16, body: String },
    #[error("the handshake got no response within {HANDSHAKE_TIMEOUT:?}")]
    TimedOut,
    #[error("the handshake failed: {0}")]
    Failed(#[source] Box<tungstenite::Error>),
}

/// The connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disconnected {
    /// The server sent a closing frame, with or without a code.
    #[error("the server closed the connection")]
    Closed(Option<u16>),
    /// The connection ended without a closing frame.
    #[error("the connection was cut")]
    Cut,
}

impl From<tungstenite::Error> for HandshakeError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => Self::Refused {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
            },
            error => Self::Failed(Box::new(error)),
        }
    }
}

impl WebSocket {
    /// Connects with these headers in addition to those of every handshake.
    ///
    /// # Errors
    ///
    /// See [`HandshakeError`].
    pub async fn connect(url: &str, headers: HeaderMap) -> Result<Self, HandshakeError> {
        let mut request = url.into_client_request()?;
        request.headers_mut().extend(headers);
        let connected = timeout(HANDSHAKE_TIMEOUT, connect_async(request)).await;
        let (connection, response) = connected.map_err(|_| HandshakeError::TimedOut)??;
        let (sink, stream) = connection.split();
        Ok(Self {
            sender: Sender(sink),
            receiver: Receiver { stream, close_frame: None },
            headers: response.headers().clone(),
        })
    }

    /// Connects with a token in the `Authorization` header.
    ///
    /// # Errors
    ///
    /// See [`HandshakeError`].
    pub async fn connect_with_token(url: &str, token: &str) -> Result<Self, HandshakeError> {
        let bearer = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|error| tungstenite::Error::HttpFormat(error.into()))?;
        Self::connect(url, HeaderMap::from_iter([(AUTHORIZATION, bearer)])).await
    }
}

impl Sender {
    /// Sends a text frame.
    ///
    /// # Errors
    ///
    /// When the connection is over.
    pub async fn send(&mut self, text: impl Into<String>) -> Result<(), Disconnected> {
        self.0.send(Message::text(text.into())).await.map_err(|_| Disconnected::Cut)
    }

    /// Sends a binary frame.
    ///
    /// # Errors
    ///
    /// When the connection is over.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), Disconnected> {
        self.0.send(Message::binary(bytes)).await.map_err(|_| Disconnected::Cut)
    }

    /// Sends a closing frame.
    pub async fn close(&mut self) {
        // A server that has gone already needs no closing frame.
        let _ = timeout(CLOSE_TIMEOUT, self.0.close()).await;
    }
}

impl Receiver {
    /// Waits for the next text frame; other frames are skipped. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When the connection is over; then every further call says the same.
    pub async fn next(&mut self) -> Result<String, Disconnected> {
        while self.close_frame.is_none() {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => self.close_frame = Some(frame.map(|frame| u16::from(frame.code))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Disconnected::Cut),
            }
        }
        // Reading on sends the reply to the closing frame, upon which the server ends the TCP connection.
        let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = self.stream.next().await {} }).await;
        Err(Disconnected::Closed(self.close_frame.flatten()))
    }
}
