//! A stand-in for DeepL on loopback: version 2 of its API, a phrasebook instead of a translator.
//!
//! What the phrasebook lacks comes back marked, `[untranslated ja→ko] …`, so that nobody takes it for a translation. Any
//! key is accepted; glossaries are accepted and do nothing. For tests it can be told to fail, and it counts.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Method, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

mod languages;
mod markup;
mod phrasebook;
#[cfg(test)]
mod tests;
mod translate;

/// The largest body that DeepL takes.
const LARGEST_BODY: usize = 128 * 1024;

/// How many request bodies are remembered.
const REMEMBERED: usize = 100;

/// The stand-in. Dropping it stops it.
#[derive(Debug)]
pub struct DeepLStub {
    address: SocketAddr,
    state: Arc<State>,
    task: tokio::task::AbortHandle,
}

/// How a request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status and a message, whatever it asked.
    Status(u16),
    /// It is answered as always, but only after this time.
    Delay(Duration),
    /// The connection is cut without an answer.
    Cut,
}

/// What the stand-in was asked since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// `POST /v2/translate`, refused ones included.
    pub translate: u64,
    /// All other requests.
    pub other: u64,
    /// Requests that were not answered with 200.
    pub refused: u64,
    /// Texts that were translated.
    pub texts: u64,
    /// Characters that DeepL would bill.
    pub billed_characters: u64,
}

#[derive(Debug)]
struct State {
    seen: Mutex<Seen>,
    held: watch::Sender<bool>,
    /// How many requests to translate arrived, as in the counts.
    asked: watch::Sender<u64>,
    added: Mutex<Vec<String>>,
    character_limit: Mutex<u64>,
}

#[derive(Debug, Default)]
struct Seen {
    counts: Counts,
    bodies: VecDeque<Value>,
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

/// The connection is to be cut.
#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
struct Cut;

impl DeepLStub {
    /// Starts on a free port of loopback.
    ///
    /// # Errors
    ///
    /// Where no port can be had.
    pub async fn start() -> std::io::Result<DeepLStub> {
        DeepLStub::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts on an address.
    ///
    /// # Errors
    ///
    /// Where it cannot be listened on.
    pub async fn start_on(address: SocketAddr) -> std::io::Result<DeepLStub> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            seen: Mutex::default(),
            held: watch::Sender::new(false),
            asked: watch::Sender::new(0),
            added: Mutex::default(),
            character_limit: Mutex::new(1_000_000_000_000),
        });
        let task = tokio::spawn(serve(listener, state.clone())).abort_handle();
        Ok(DeepLStub { address, state, task })
    }

    /// Where it is: `http://127.0.0.1:<port>`, what stands for `https://api.deepl.com`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked up to now.
    pub fn requests(&self) -> Counts {
        self.state.seen().counts.clone()
    }

    /// The bodies of the last hundred translation requests that were JSON, oldest first.
    pub fn bodies(&self) -> Vec<Value> {
        self.state.seen().bodies.iter().cloned().collect()
    }

    /// Answers every request with this status until told otherwise: 456 is a used up quota, 429 and 529 too many requests,
    /// 403 a bad key. `None` ends it, and what [`DeepLStub::fail_next`] began.
    pub fn set_failure(&self, status: Option<u16>) {
        self.set_fault(status.map(Fault::Status));
    }

    /// Makes every request fail in this way until told otherwise.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut seen = self.state.seen();
        seen.always = fault;
        if fault.is_none() {
            seen.next.clear();
        }
    }

    /// Makes the next requests fail in this way, after those that are to fail already.
    pub fn fail_next(&self, requests: usize, fault: Fault) {
        self.state.seen().next.extend(std::iter::repeat_n(fault, requests));
    }

    /// Waits until so many requests to translate have arrived since the start.
    pub async fn asked(&self, requests: u64) {
        // The sender lives as long as this stand-in.
        let _ = self.state.asked.subscribe().wait_for(|asked| *asked >= requests).await;
    }

    /// Lets requests in, and no answer out until [`DeepLStub::release`].
    pub fn hold(&self) {
        self.state.held.send_replace(true);
    }

    /// Answers what was held.
    pub fn release(&self) {
        self.state.held.send_replace(false);
    }

    /// Offers one more language, by its code, as DeepL does now and then.
    pub fn offer(&self, code: &str) {
        self.state.added().push(code.to_owned());
    }

    /// Sets the quota: what would exceed it is answered 456.
    pub fn set_character_limit(&self, characters: u64) {
        *self.state.character_limit.lock().unwrap_or_else(PoisonError::into_inner) = characters;
    }
}

impl Drop for DeepLStub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn added(&self) -> MutexGuard<'_, Vec<String>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limit(&self) -> u64 {
        *self.character_limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request, or cuts it off.
    #[expect(clippy::expect_used, reason = "the response is made of parts that are always valid")]
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let translates = request.uri().path() == "/v2/translate";
        let fault = {
            let mut seen = self.seen();
            *(if translates { &mut seen.counts.translate } else { &mut seen.counts.other }) += 1;
            seen.next.pop_front().or(seen.always)
        };
        self.asked.send_modify(|asked| *asked += u64::from(translates));
        let (status, body) = self.perform(request, fault).await?;
        // The sender lives as long as this state.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        if status != 200 {
            self.seen().counts.refused += 1;
        }
        Ok(Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-trace-id", Uuid::new_v4().simple().to_string())
            .body(Body::from(body.to_string()))
            .expect("a status between 100 and 999 and headers of plain letters are valid"))
    }

    async fn perform(&self, request: Request<Incoming>, fault: Option<Fault>) -> Result<(u16, Value), Cut> {
        let (request, body) = request.into_parts();
        // Read before anything else, so that a fault finds the whole request sent, and tests find its body.
        let body = to_bytes(Body::new(body), LARGEST_BODY).await;
        let json: Option<Value> = body.as_ref().ok().and_then(|body| serde_json::from_slice(body).ok());
        let translates = request.uri.path() == "/v2/translate";
        if let Some(json) = json.as_ref().filter(|_| translates) {
            let mut seen = self.seen();
            if seen.bodies.len() == REMEMBERED {
                seen.bodies.pop_front();
            }
            seen.bodies.push_back(json.clone());
        }
        match fault {
            None => {}
            Some(Fault::Cut) => {
                self.seen().counts.refused += 1;
                return Err(Cut);
            }
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Status(status)) => return Ok(refusal(status.clamp(400, 599), message(status))),
        }
        let authorization = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = authorization.and_then(|value| value.strip_prefix("DeepL-Auth-Key "));
        if key.is_none_or(|key| key.trim().is_empty()) {
            return Ok(refusal(403, message(403)));
        }
        Ok(match (&request.method, request.uri.path()) {
            (&Method::POST, "/v2/translate") => match (body, json) {
                (Err(_), _) => refusal(413, message(413)),
                (Ok(_), None) => refusal(400, "Bad request. Reason: the body is not JSON."),
                (Ok(_), Some(json)) => self.translate(&json),
            },
            (&Method::GET, "/v2/usage") => {
                let count = self.seen().counts.billed_characters;
                (200, json!({ "character_count": count, "character_limit": self.limit() }))
            }
            (&Method::GET, "/v2/languages") => match request.uri.query() {
                None | Some("type=source") => (200, languages::listed(false, &self.added())),
                Some("type=target") => (200, languages::listed(true, &self.added())),
                Some(_) => refusal(400, "Value for 'type' not supported."),
            },
            (_, "/v2/translate" | "/v2/usage" | "/v2/languages") => refusal(405, message(405)),
            _ => refusal(404, message(404)),
        })
    }

    fn translate(&self, request: &Value) -> (u16, Value) {
        match translate::answer(request, &self.added()) {
            Err(problem) => refusal(400, &problem),
            Ok((answer, texts, billed)) => {
                let limit = self.limit();
                let counts = &mut self.seen().counts;
                if counts.billed_characters + billed > limit {
                    return refusal(456, message(456));
                }
                counts.texts += texts;
                counts.billed_characters += billed;
                (200, answer)
            }
        }
    }
}

fn refusal(status: u16, message: &str) -> (u16, Value) {
    (status, json!({ "message": message }))
}

fn message(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not found",
        405 => "Method not allowed",
        413 => "Request Entity Too Large",
        429 | 529 => "Too many requests",
        456 => "Quota Exceeded",
        503 | 504 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

async fn serve(listener: tokio::net::TcpListener, state: Arc<State>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // What cannot be accepted was the client's to lose; the next may be fine.
                let Ok((stream, _)) = accepted else { continue };
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let state = state.clone();
                        async move { state.answer(request).await }
                    });
                    // Ends with an error when it is cut, by either side.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
