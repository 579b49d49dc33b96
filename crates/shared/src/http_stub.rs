//! An HTTP server for tests that returns a configured response and counts requests.

use std::collections::BTreeMap;
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
    /// Responses to requests that contain a text.
    special: Mutex<BTreeMap<String, String>>,
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
        let state = Arc::new(StubState {
            response: Mutex::default(),
            special: Mutex::default(),
            requests: AtomicUsize::default(),
            barrier,
        });
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
        let response = response(status, headers, body);
        *self.state.response.lock().expect("no panic while the lock is held") = Some(response);
    }

    /// Sets the response to requests that contain `part`, in a header or in the body.
    pub fn respond_to(&self, part: &str, status: u16, body: &str) {
        let mut special = self.state.special.lock().expect("no panic while the lock is held");
        special.insert(part.to_owned(), response(status, "", body));
    }

    /// Leaves requests unanswered from now on.
    pub fn hang(&self) {
        *self.state.response.lock().expect("no panic while the lock is held") = None;
    }

    pub fn request_count(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

fn response(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Stubbed\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

/// Whether a request has arrived with its body.
fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.is_none_or(|(_, length)| length.trim().parse().is_ok_and(|length: usize| body.len() >= length))
}

impl StubState {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut rest = Vec::new();
        while !is_complete(&String::from_utf8_lossy(&request)) {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.barrier.wait().await;
        if let Some(response) = self.response_to(&String::from_utf8_lossy(&request)) {
            stream.write_all(response.as_bytes()).await?;
            stream.shutdown().await?;
        }
        // Keep the connection until the client closes it: it may still be sending, or waiting until its timeout.
        stream.read_to_end(&mut rest).await.map(|_| ())
    }

    fn response_to(&self, request: &str) -> Option<String> {
        let special = self.special.lock().expect("no panic while the lock is held");
        let special = special.iter().find(|(part, _)| request.contains(part.as_str()));
        let response = self.response.lock().expect("no panic while the lock is held");
        special.map(|(_, response)| response.clone()).or_else(|| response.clone())
    }
}
