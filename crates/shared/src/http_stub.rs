//! What stands on the other side of a door in tests: a server that says what it is told to, and counts how often it was
//! asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// The server. It says nothing until it is told what.
pub struct HttpStub {
    url: String,
    state: Arc<StubState>,
}

struct StubState {
    answer: Mutex<Option<String>>,
    asked: AtomicUsize,
    /// Who has to be asked too before anybody is answered.
    together: Arc<Barrier>,
}

impl HttpStub {
    /// One by itself.
    pub async fn start() -> Self {
        Self::with(Arc::new(Barrier::new(1))).await
    }

    /// Two that answer nobody before both were asked.
    pub async fn pair_answering_together() -> [Self; 2] {
        let together = Arc::new(Barrier::new(2));
        [Self::with(together.clone()).await, Self::with(together).await]
    }

    async fn with(together: Arc<Barrier>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
        let state = Arc::new(StubState { answer: Mutex::default(), asked: AtomicUsize::default(), together });
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = serving.clone();
                // A client that goes away in the middle is none of the server's business.
                tokio::spawn(async move { state.serve(stream).await.ok() });
            }
        });
        Self { url, state }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// What it answers from now on; each line of `headers` ends with CRLF.
    pub fn respond_with(&self, status: u16, headers: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}");
        *self.state.answer.lock().expect("no test panics in here") = Some(format!("{head}\r\n{body}"));
    }

    /// It takes requests and answers none from now on.
    pub fn hang(&self) {
        *self.state.answer.lock().expect("no test panics in here") = None;
    }

    /// How often it was asked.
    pub fn request_count(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

impl StubState {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let (mut request, mut rest) = (Vec::new(), Vec::new());
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.together.wait().await;
        let answer = self.answer.lock().expect("no test panics in here").clone();
        if let Some(answer) = answer {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
        }
        // Until the client goes: it may be sending still, or waiting for what never comes.
        stream.read_to_end(&mut rest).await.map(|_| ())
    }
}
