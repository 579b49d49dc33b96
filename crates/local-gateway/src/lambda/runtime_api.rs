//! Lambda's Runtime API, from which processes fetch invocations and to which they post results.
//!
//! Each process has its own path, `/<process>/2018-06-01/runtime/…`, which `AWS_LAMBDA_RUNTIME_API` may contain. It
//! tells processes of the same function apart.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// The largest result of a function in bytes: Lambda allows 6 MB and some room for its envelope.
const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// One invocation on its way to a process.
pub(super) struct Invocation {
    pub request_id: String,
    pub function_arn: String,
    pub payload: Bytes,
    /// How long the function may take after its process has accepted the invocation.
    pub timeout: Duration,
    /// Signalled when the process accepts the invocation.
    pub accepted: oneshot::Sender<()>,
    /// Gets the response of the process; dropped if it continues without one.
    pub answer: oneshot::Sender<Answer>,
}

pub(super) enum Answer {
    Response(Bytes),
    Error(Value),
}

/// One process as the Runtime API sees it.
pub(super) struct Slot {
    invocations: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    init_error: Mutex<Option<Value>>,
    first_asked: OnceLock<Instant>,
}

impl Slot {
    /// When the process asked for its first invocation.
    pub(super) fn first_asked(&self) -> Option<Instant> {
        self.first_asked.get().copied()
    }

    /// Takes the error that the process reported if it failed to start.
    pub(super) fn take_init_error(&self) -> Option<Value> {
        lock(&self.init_error).take()
    }
}

/// All processes, by path.
#[derive(Clone, Default)]
pub(super) struct RuntimeApi {
    slots: Arc<Mutex<HashMap<String, Arc<Slot>>>>,
}

impl RuntimeApi {
    /// Adds the path of a process that is about to start.
    pub(super) fn add(&self, process: &str, invocations: mpsc::Receiver<Invocation>) -> Arc<Slot> {
        let slot = Arc::new(Slot {
            invocations: tokio::sync::Mutex::new(invocations),
            current: Mutex::new(None),
            init_error: Mutex::new(None),
            first_asked: OnceLock::new(),
        });
        lock(&self.slots).insert(process.to_owned(), slot.clone());
        slot
    }

    /// Forgets a process that has ended; its unanswered invocation fails.
    pub(super) fn remove(&self, process: &str) {
        if let Some(slot) = lock(&self.slots).remove(process) {
            lock(&slot.current).take();
        }
    }

    /// Serves the API until the listener's task is dropped.
    pub(super) async fn serve(self, listener: tokio::net::TcpListener) {
        let routes = Router::new()
            .route("/{process}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{process}/2018-06-01/runtime/invocation/{request}/response", post(response))
            .route("/{process}/2018-06-01/runtime/invocation/{request}/error", post(error))
            .route("/{process}/2018-06-01/runtime/init/error", post(init_error))
            // Larger responses are rejected below, with Lambda's own error.
            .layer(DefaultBodyLimit::disable())
            .with_state(self);
        if let Err(problem) = axum::serve(listener, routes).await {
            tracing::error!(%problem, "the Runtime API stopped");
        }
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API` for a process. On AWS it is only a host and port, but a path needs a
    /// scheme.
    pub(super) fn variable(address: SocketAddr, process: &str) -> String {
        format!("http://{address}/{process}")
    }

    fn slot(&self, process: &str) -> Option<Arc<Slot>> {
        lock(&self.slots).get(process).cloned()
    }
}

async fn next(State(api): State<RuntimeApi>, Path(process): Path<String>) -> Response<Body> {
    let Some(slot) = api.slot(&process) else { return unknown_process() };
    slot.first_asked.get_or_init(Instant::now);
    // A process that asks again without having responded never will.
    lock(&slot.current).take();
    let Some(invocation) = slot.invocations.lock().await.recv().await else {
        let message = "this process is no longer in use";
        return error_response(StatusCode::INTERNAL_SERVER_ERROR, "Container.Shutdown", message);
    };
    let deadline = SystemTime::now() + invocation.timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("Lambda-Runtime-Aws-Request-Id", invocation.request_id.clone()),
        ("Lambda-Runtime-Deadline-Ms", deadline.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn),
        ("Lambda-Runtime-Trace-Id", trace_id(&invocation.request_id)),
    ];
    let response = (headers, invocation.payload).into_response();
    *lock(&slot.current) = Some((invocation.request_id, invocation.answer));
    let _ = invocation.accepted.send(());
    response
}

async fn response(
    State(api): State<RuntimeApi>,
    Path((process, request)): Path<(String, String)>,
    body: Bytes,
) -> Response<Body> {
    if body.len() > MAX_RESPONSE_BYTES {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
        let error = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message });
        let _ = answer(&api, &process, &request, Answer::Error(error));
        return error_response(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
    }
    answer(&api, &process, &request, Answer::Response(body))
}

async fn error(
    State(api): State<RuntimeApi>,
    Path((process, request)): Path<(String, String)>,
    body: Bytes,
) -> Response<Body> {
    answer(&api, &process, &request, Answer::Error(reported(&body)))
}

async fn init_error(State(api): State<RuntimeApi>, Path(process): Path<String>, body: Bytes) -> Response<Body> {
    match api.slot(&process) {
        Some(slot) => {
            *lock(&slot.init_error) = Some(reported(&body));
            accepted()
        }
        None => unknown_process(),
    }
}

/// Passes a response on. One for an invocation that is not the current one is rejected, as on Lambda.
fn answer(api: &RuntimeApi, process: &str, request: &str, answer: Answer) -> Response<Body> {
    let Some(slot) = api.slot(process) else { return unknown_process() };
    let waiting = lock(&slot.current).take_if(|(current, _)| current == request);
    match waiting {
        Some((_, waiting)) => {
            let _ = waiting.send(answer);
            accepted()
        }
        None => error_response(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
    }
}

/// The error that a function reports, always as an object with `errorMessage` and `errorType`.
fn reported(body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        Ok(Value::Object(error)) => Value::Object(error),
        _ => json!({ "errorType": "Unhandled", "errorMessage": String::from_utf8_lossy(body) }),
    }
}

/// A well-formed X-Ray trace id: the time and 96 bits, here those of the request id.
fn trace_id(request_id: &str) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let digits: String =
        request_id.chars().filter(char::is_ascii_hexdigit).chain("0".repeat(40).chars()).take(40).collect();
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &digits[..24], &digits[24..40])
}

/// The response to a process that the gateway did not start, or has dropped.
fn unknown_process() -> Response<Body> {
    error_response(
        StatusCode::FORBIDDEN,
        "InvalidProcess",
        "unknown process: the gateway did not start it, or has dropped it",
    )
}

fn accepted() -> Response<Body> {
    (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response()
}

fn error_response(status: StatusCode, error: &str, message: &str) -> Response<Body> {
    (status, axum::Json(json!({ "errorType": error, "errorMessage": message }))).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_are_well_formed() {
        let id = trace_id("ab-c");
        let (root, rest) = id.split_once(';').unwrap();
        assert_eq!(root.len(), "Root=1-5759e988-bd862e3fe1be46a994272793".len());
        assert_eq!(rest, "Parent=0000000000000000;Sampled=0");
    }

    #[test]
    fn other_errors_become_messages() {
        assert_eq!(reported(b"oops"), json!({"errorType": "Unhandled", "errorMessage": "oops"}));
    }
}
