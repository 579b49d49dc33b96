//! A local stub of DeepL: version 2 of its API, with a phrasebook in place of the translator.
//!
//! Sentences that the phrasebook lacks come back marked, `[untranslated ja→ko] …`, so that nobody mistakes them for a
//! translation. Any key is accepted; glossaries are accepted and ignored. Tests can make requests fail or wait, and
//! count them.

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

/// The largest request body that DeepL accepts, in bytes.
const MAX_BODY_BYTES: usize = 128 * 1024;

/// How many request bodies are kept.
const KEPT_BODIES: usize = 100;

/// A running stub; dropping it stops the server.
#[derive(Debug)]
pub struct DeepLStub {
    address: SocketAddr,
    state: Arc<State>,
    task: tokio::task::AbortHandle,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The response has this status, whatever the request.
    Status(u16),
    /// The response is delayed.
    Delay(Duration),
    /// The connection is closed without a response.
    Disconnect,
}

/// Requests since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// `POST /v2/translate`, including rejected requests.
    pub translate: u64,
    /// All other requests.
    pub other: u64,
    /// Requests that got another status than 200.
    pub rejected: u64,
    pub texts: u64,
    /// Characters that DeepL would bill
    pub billed_characters: u64,
}

#[derive(Debug)]
struct State {
    history: Mutex<History>,
    on_hold: watch::Sender<bool>,
    /// The number of translation requests, as in the counts.
    translation_requests: watch::Sender<u64>,
    extra_languages: Mutex<Vec<String>>,
    character_limit: Mutex<u64>,
}

#[derive(Debug, Default)]
struct History {
    counts: Counts,
    bodies: VecDeque<Value>,
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

/// The connection must be closed without a response.
#[derive(Debug, thiserror::Error)]
#[error("connection closed on purpose")]
struct Disconnect;

impl DeepLStub {
    /// Starts on a free loopback port.
    ///
    /// # Errors
    ///
    /// If no port is available.
    pub async fn start() -> std::io::Result<DeepLStub> {
        DeepLStub::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// # Errors
    ///
    /// If the address cannot be bound.
    pub async fn start_on(address: SocketAddr) -> std::io::Result<DeepLStub> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            history: Mutex::default(),
            on_hold: watch::Sender::new(false),
            translation_requests: watch::Sender::new(0),
            extra_languages: Mutex::default(),
            character_limit: Mutex::new(1_000_000_000_000),
        });
        let task = tokio::spawn(serve(listener, state.clone())).abort_handle();
        Ok(DeepLStub { address, state, task })
    }

    /// `http://127.0.0.1:<port>`, in place of `https://api.deepl.com`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Counts {
        self.state.history().counts.clone()
    }

    /// The bodies of the last hundred translation requests with valid JSON, oldest first.
    pub fn bodies(&self) -> Vec<Value> {
        self.state.history().bodies.iter().cloned().collect()
    }

    /// Answers every request with this status from now on: 456 for an exhausted quota, 429 and 529 for too many
    /// requests, 403 for a bad key. `None` ends this, and any failures left over from [`DeepLStub::fail_next`].
    pub fn set_failure(&self, status: Option<u16>) {
        self.set_fault(status.map(Fault::Status));
    }

    /// Makes every request fail this way from now on; `None` as for [`DeepLStub::set_failure`].
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut history = self.state.history();
        history.always = fault;
        if fault.is_none() {
            history.next.clear();
        }
    }

    /// Makes this many requests fail this way, after any that are already set to fail.
    pub fn fail_next(&self, requests: usize, fault: Fault) {
        self.state.history().next.extend(std::iter::repeat_n(fault, requests));
    }

    /// Waits until this many translation requests have arrived since the start.
    pub async fn received(&self, requests: u64) {
        // The sender lives as long as this stub.
        let _ = self.state.translation_requests.subscribe().wait_for(|count| *count >= requests).await;
    }

    /// Accepts requests, but sends no response until [`DeepLStub::release`].
    pub fn hold(&self) {
        self.state.on_hold.send_replace(true);
    }

    /// Sends the responses that were on hold.
    pub fn release(&self) {
        self.state.on_hold.send_replace(false);
    }

    /// Adds a language, by its code, as DeepL does now and then.
    pub fn add_language(&self, code: &str) {
        self.state.extra_languages().push(code.to_owned());
    }

    /// Sets the quota; requests that would exceed it get 456.
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
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extra_languages(&self) -> MutexGuard<'_, Vec<String>> {
        self.extra_languages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limit(&self) -> u64 {
        *self.character_limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::expect_used, reason = "every part of the response is valid")]
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Disconnect> {
        let translates = request.uri().path() == "/v2/translate";
        let fault = {
            let mut history = self.history();
            *(if translates { &mut history.counts.translate } else { &mut history.counts.other }) += 1;
            history.next.pop_front().or(history.always)
        };
        self.translation_requests.send_modify(|count| *count += u64::from(translates));
        let (status, body) = self.perform(request, fault).await?;
        // The sender lives as long as this state.
        let _ = self.on_hold.subscribe().wait_for(|on_hold| !on_hold).await;
        if status != 200 {
            self.history().counts.rejected += 1;
        }
        Ok(Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-trace-id", Uuid::new_v4().simple().to_string())
            .body(Body::from(body.to_string()))
            .expect("the status is between 100 and 999, and the headers are plain ASCII"))
    }

    async fn perform(&self, request: Request<Incoming>, fault: Option<Fault>) -> Result<(u16, Value), Disconnect> {
        let (request, body) = request.into_parts();
        // Read first, so that the client has sent its whole request before a fault, and tests find the body.
        let body = to_bytes(Body::new(body), MAX_BODY_BYTES).await;
        let json: Option<Value> = body.as_ref().ok().and_then(|body| serde_json::from_slice(body).ok());
        let translates = request.uri.path() == "/v2/translate";
        if let Some(json) = json.as_ref().filter(|_| translates) {
            let mut history = self.history();
            if history.bodies.len() == KEPT_BODIES {
                history.bodies.pop_front();
            }
            history.bodies.push_back(json.clone());
        }
        match fault {
            None => {}
            Some(Fault::Disconnect) => {
                self.history().counts.rejected += 1;
                return Err(Disconnect);
            }
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Status(status)) => return Ok(rejection(status.clamp(400, 599), message(status))),
        }
        let authorization = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = authorization.and_then(|value| value.strip_prefix("DeepL-Auth-Key "));
        if key.is_none_or(|key| key.trim().is_empty()) {
            return Ok(rejection(403, message(403)));
        }
        Ok(match (&request.method, request.uri.path()) {
            (&Method::POST, "/v2/translate") => match (body, json) {
                (Err(_), _) => rejection(413, message(413)),
                (Ok(_), None) => rejection(400, "Bad request. Reason: the body is not JSON."),
                (Ok(_), Some(json)) => self.translate(&json),
            },
            (&Method::GET, "/v2/usage") => {
                let count = self.history().counts.billed_characters;
                (200, json!({ "character_count": count, "character_limit": self.limit() }))
            }
            (&Method::GET, "/v2/languages") => match request.uri.query() {
                None | Some("type=source") => (200, languages::listed(false, &self.extra_languages())),
                Some("type=target") => (200, languages::listed(true, &self.extra_languages())),
                Some(_) => rejection(400, "Value for 'type' not supported."),
            },
            (_, "/v2/translate" | "/v2/usage" | "/v2/languages") => rejection(405, message(405)),
            _ => rejection(404, message(404)),
        })
    }

    fn translate(&self, request: &Value) -> (u16, Value) {
        let translated = match translate::translate(request, &self.extra_languages()) {
            Ok(translated) => translated,
            Err(problem) => return rejection(400, &problem),
        };
        let limit = self.limit();
        let counts = &mut self.history().counts;
        if counts.billed_characters + translated.billed_characters > limit {
            return rejection(456, message(456));
        }
        counts.texts += translated.texts;
        counts.billed_characters += translated.billed_characters;
        (200, translated.body)
    }
}

fn rejection(status: u16, message: &str) -> (u16, Value) {
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
                // The client has gone; the next one may be fine.
                let Ok((stream, _)) = accepted else { continue };
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let state = state.clone();
                        async move { state.answer(request).await }
                    });
                    // Fails if either side closes the connection early.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
