//! One connection of a client, as far as it can be trusted: frames out, frames in, and an end at any time.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a handshake may take: API Gateway gives `$connect` 29 seconds.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// An open connection. Dropping it cuts it, without a closing frame.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    closed: bool,
}

/// The connection is over, by whomever.
pub(crate) struct Cut;

impl Socket {
    /// Connects with a token. Refused or failed: the caller tries again later, whatever the reason.
    pub(crate) async fn connect(url: &str, token: &str) -> Result<Self, Cut> {
        let mut request = url.into_client_request().map_err(|_| Cut)?;
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Cut)?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        match timeout(HANDSHAKE, connect_async(request)).await {
            Ok(Ok((stream, _))) => Ok(Self { stream, closed: false }),
            _ => Err(Cut),
        }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &Value) -> Result<(), Cut> {
        self.stream.send(Message::text(frame.to_string())).await.map_err(|_| Cut)
    }

    /// The next text frame. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<String, Cut> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_))) => {
                    self.closed = true;
                    return Err(Cut);
                }
                Some(Err(_)) | None => return Err(Cut),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Whether the server said goodbye.
    pub(crate) fn was_closed(&self) -> bool {
        self.closed
    }

    /// Says goodbye as a client that goes away politely.
    pub(crate) async fn close(mut self) {
        // Whoever has gone already needs none.
        let _ = timeout(Duration::from_secs(5), self.stream.close(None)).await;
    }
}
