//! The open connections, and the management API over them: `POST`, `GET` and `DELETE` of `/STAGE/@connections/{id}`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use crate::faults::cut::Scissors;
use crate::faults::{Faults, Kind};
use crate::iam::Denial;
use crate::identity::signed_by;
use crate::socket::Limits;
use crate::socket::event::{Caller, new_id};
use crate::timestamps::rfc3339;

/// What a waiting frame costs at least of a connection's buffer, so that many small ones are bounded too.
const LEAST_COST: usize = 256;

/// One frame on its way to a client, and the room that it takes in the connection's buffer until it is written.
pub(crate) struct Outgoing {
    pub text: String,
    pub room: OwnedSemaphorePermit,
}

/// One open connection.
pub(crate) struct Connection {
    pub caller: Caller,
    last_active: Mutex<(Instant, SystemTime)>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    room: Arc<Semaphore>,
    most: usize,
    deleted: Notify,
}

/// Why a push did not reach a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushError {
    Gone,
    TooLarge,
    Full,
    /// The gateway's own failure.
    Failed,
}

impl Connection {
    /// A connection, and the frames that its session is to write.
    pub(crate) fn open(caller: Caller, limits: &Limits) -> (Arc<Connection>, mpsc::UnboundedReceiver<Outgoing>) {
        let (outgoing, to_write) = mpsc::unbounded_channel();
        let most = limits.waiting_bytes.clamp(LEAST_COST, u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let connection = Connection {
            last_active: Mutex::new((Instant::now(), caller.connected_at)),
            caller,
            outgoing,
            room: Arc::new(Semaphore::new(most)),
            most,
            deleted: Notify::new(),
        };
        (Arc::new(connection), to_write)
    }

    /// Puts a frame behind those that wait, if there is room.
    fn push(&self, text: String) -> Result<(), PushError> {
        match self.room.clone().try_acquire_many_owned(self.cost(&text)) {
            Ok(room) => self.outgoing.send(Outgoing { text, room }).map_err(|_| PushError::Gone),
            Err(_) => Err(PushError::Full),
        }
    }

    /// Puts a reply behind the frames that wait, as soon as there is room. It is lost when the connection ends.
    pub(crate) async fn reply(&self, text: String) {
        if let Ok(room) = self.room.clone().acquire_many_owned(self.cost(&text)).await {
            let _ = self.outgoing.send(Outgoing { text, room });
        }
    }

    fn cost(&self, text: &str) -> u32 {
        u32::try_from(text.len().max(LEAST_COST).min(self.most)).unwrap_or(u32::MAX)
    }

    /// Notes that a message came or went.
    pub(crate) fn touch(&self) {
        *self.activity() = (Instant::now(), SystemTime::now());
    }

    /// Since when no message came or went.
    pub(crate) fn idle_since(&self) -> Instant {
        self.activity().0
    }

    /// Waits until somebody deletes the connection.
    pub(crate) async fn deleted(&self) {
        self.deleted.notified().await;
    }

    fn activity(&self) -> std::sync::MutexGuard<'_, (Instant, SystemTime)> {
        self.last_active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Told of every signed request before anything becomes of it, by its method, the access key id that signed it and the
/// connection's id; says which function made it, if one did, or that it may not.
pub(crate) type Admit = Arc<dyn Fn(&Method, &str, &str) -> Result<Option<String>, Denial> + Send + Sync>;

/// All open connections of one API. Clones are the same connections.
#[derive(Clone)]
pub(crate) struct Connections {
    open: Arc<Mutex<BTreeMap<String, Arc<Connection>>>>,
    largest: usize,
    admit: Admit,
    faults: Faults,
    /// How many pushes a planted defect has answered before they were made.
    answered_early: Arc<AtomicU64>,
}

impl Connections {
    pub(crate) fn none_yet(limits: &Limits, admit: Admit, faults: Faults) -> Connections {
        Connections {
            open: Arc::default(),
            largest: limits.message_bytes,
            admit,
            faults,
            answered_early: Arc::default(),
        }
    }

    /// What strikes pushes and connections.
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn add(&self, connection: Arc<Connection>) {
        self.lock().insert(connection.caller.connection_id.clone(), connection);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn find(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().get(id).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request to `/STAGE/@connections/{id}`, or cuts the connection that it came by.
    pub(crate) async fn manage(
        &self,
        method: &Method,
        headers: &HeaderMap,
        id: &str,
        body: Bytes,
        scissors: &Scissors,
    ) -> Response<Body> {
        if !matches!(*method, Method::POST | Method::GET | Method::DELETE) {
            return forbidden();
        }
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(key) = authorization.and_then(signed_by) else { return unsigned() };
        let caller = match (self.admit)(method, key, id) {
            Ok(caller) => caller,
            Err(denial) => return denial.response(),
        };
        match *method {
            Method::POST => {
                // Before the frame goes out and not only before the answer: a client hears of it no sooner than on AWS.
                self.faults.floor(|latencies| latencies.push.as_ref()).passed().await;
                if self.is_never_made(caller.as_deref()) {
                    return answer(StatusCode::OK, None, None);
                }
                match self.post(id, body, scissors).await {
                    Ok(()) => answer(StatusCode::OK, None, None),
                    Err(refused) => refusal(refused, id),
                }
            }
            Method::GET => match self.find(id) {
                Some(connection) => answer(StatusCode::OK, None, Some(described(&connection))),
                None => refusal(PushError::Gone, id),
            },
            _ => match self.find(id) {
                Some(connection) => {
                    // From here on it is gone, however long the closing takes.
                    self.remove(id);
                    connection.deleted.notify_one();
                    answer(StatusCode::NO_CONTENT, None, None)
                }
                None => refusal(PushError::Gone, id),
            },
        }
    }

    /// Whether a planted defect answers this push and then forgets it.
    fn is_never_made(&self, pusher: Option<&str>) -> bool {
        let planted = self.faults.sabotage().filter(|sabotage| sabotage.mark_before_push);
        planted.is_some_and(|sabotage| pusher == Some(&sabotage.pusher))
            && self.answered_early.fetch_add(1, Ordering::Relaxed).is_multiple_of(3)
    }

    async fn post(&self, id: &str, body: Bytes, scissors: &Scissors) -> Result<(), PushError> {
        if body.len() > self.largest {
            return Err(PushError::TooLarge);
        }
        let mut connection = self.find(id).ok_or(PushError::Gone)?;
        if self.faults.hangs(id) {
            // Whoever pushes gives up some day, and hangs up.
            std::future::pending::<()>().await;
        }
        let strikes = |kind| self.faults.strike(kind, "", "");
        if let Some(slow) = strikes(Kind::PushSlow) {
            tokio::time::sleep(slow.after).await;
            connection = self.find(id).ok_or(PushError::Gone)?;
        }
        for (kind, error) in [
            (Kind::PushGone, PushError::Gone),
            (Kind::PushThrottled, PushError::Full),
            (Kind::PushFailed, PushError::Failed),
        ] {
            if strikes(kind).is_some() {
                return Err(error);
            }
        }
        // It goes out as a text frame, which must be UTF-8.
        connection.push(String::from_utf8_lossy(&body).into_owned())?;
        if let Some(lost) = strikes(Kind::PushLostAnswer) {
            if lost.among(2) == 0 {
                scissors.cut();
            }
            return Err(PushError::Failed);
        }
        Ok(())
    }
}

fn described(connection: &Connection) -> Value {
    let mut identity = json!({ "sourceIp": connection.caller.source_ip.to_string() });
    if let Some(user_agent) = &connection.caller.user_agent {
        identity["userAgent"] = json!(user_agent);
    }
    json!({
        "connectedAt": rfc3339(connection.caller.connected_at),
        "identity": identity,
        "lastActiveAt": rfc3339(connection.activity().1),
    })
}

/// The answer to what API Gateway does not know: another stage, another path, another method.
pub(crate) fn forbidden() -> Response<Body> {
    answer(StatusCode::FORBIDDEN, Some("ForbiddenException"), Some(json!({ "message": "Forbidden" })))
}

/// The answer to a request that nobody signed.
fn unsigned() -> Response<Body> {
    let body = json!({ "message": "Missing Authentication Token" });
    answer(StatusCode::FORBIDDEN, Some("MissingAuthenticationTokenException"), Some(body))
}

fn refusal(error: PushError, id: &str) -> Response<Body> {
    let said = |message: &str| Some(json!({ "message": message, "connectionId": id, "requestId": new_id() }));
    match error {
        PushError::Gone => answer(StatusCode::GONE, Some("GoneException"), None),
        PushError::TooLarge => {
            answer(StatusCode::PAYLOAD_TOO_LARGE, Some("PayloadTooLargeException"), said("Message too long"))
        }
        PushError::Full => answer(
            StatusCode::TOO_MANY_REQUESTS,
            Some("LimitExceededException"),
            said("Too many messages wait for this client"),
        ),
        PushError::Failed => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            Some("InternalServerErrorException"),
            said("Internal server error"),
        ),
    }
}

pub(crate) fn answer(status: StatusCode, error: Option<&str>, body: Option<Value>) -> Response<Body> {
    let mut response = match body {
        Some(body) => (status, axum::Json(body)).into_response(),
        None => status.into_response(),
    };
    let headers = response.headers_mut();
    if let Ok(id) = uuid::Uuid::new_v4().to_string().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(Ok(error)) = error.map(str::parse) {
        headers.insert("x-amzn-errortype", error);
    }
    response
}
