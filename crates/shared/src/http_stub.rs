//! An HTTP server for tests that returns a configured response and counts requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// The server. It answers no request until a response is set.
pub struct HttpStub {
    url: String,
    state: Arc<StubState>,
}

struct StubState {
    response: Mutex<Option<String>>,
    requests: AtomicUsize,
    /// Reached by a request to each stub of a group before any of them answers.
    barrier: Arc<Barrier>,
}

impl HttpStub {
    /// A single server.
    pub async fn start() -> Self {
        Self::with(Arc::new(Barrier::new(1))).await
    }

    /// Two servers that answer only once both have received a request.
    pub async fn pair_answering_together() -> [Self; 2] {
        let barrier = Arc::new(Barrier::new(2));
        [Self::with(barrier.clone()).await, Self::with(barrier).await]
    }

    async fn with(barrier: Arc<Barrier>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
        let state = Arc::new(StubState { response: Mutex::default(), requests: AtomicUsize::default(), barrier });
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = serving.clone();
                // A client may disconnect at any time.
                tokio::spawn(async move { state.serve(stream).await.ok() });
            }
        });
        Self { url, state }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Sets the response from now on; each line of `headers` ends with CRLF.
    pub fn respond_with(&self, status: u16, headers: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Stubbed\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}");
        *self.state.response.lock().expect("no panic while the lock is held") = Some(format!("{head}\r\n{body}"));
    }

    /// Leaves requests unanswered from now on.
    pub fn hang(&self) {
        *self.state.response.lock().expect("no panic while the lock is held") = None;
    }

    pub fn request_count(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl StubState {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut rest = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.barrier.wait().await;
        let response = self.response.lock().expect("no panic while the lock is held").clone();
        if let Some(response) = response {
            stream.write_all(response.as_bytes()).await?;
            stream.shutdown().await?;
        }
        // Keep the connection until the client closes it: it may still be sending, or waiting until its timeout.
        stream.read_to_end(&mut rest).await.map(|_| ())
    }
}
