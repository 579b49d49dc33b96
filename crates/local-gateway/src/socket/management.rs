//! The management API: `POST`, `GET` and `DELETE` of `/STAGE/@connections/{id}`.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::connection::{Connection, PushError};
use super::event::new_id;
use super::faulty_pushes::FaultyPushes;
use super::responses::{forbidden, response, unsigned};
use crate::connection_aborter::ConnectionAborter;
use crate::iam::Denial;
use crate::identity::signed_by;
use crate::interceptor::{Interceptor, PushDecision};
use crate::timestamps::rfc3339;

/// Authorizes every signed request first, by its method, access key id and connection id. Returns the logical id of the
/// function that made it, if one did.
pub(crate) type Authorize = Arc<dyn Fn(&Method, &str, &str) -> Result<Option<String>, Denial> + Send + Sync>;

pub(super) struct Management {
    pub(super) pushes: FaultyPushes,
    pub(super) authorize: Authorize,
    pub(super) interceptor: Arc<dyn Interceptor>,
}

impl Management {
    /// Answers a request. `aborter` belongs to the connection that it came by.
    pub(super) async fn answer(
        &self,
        method: &Method,
        headers: &HeaderMap,
        id: &str,
        body: Bytes,
        aborter: &ConnectionAborter,
    ) -> Response<Body> {
        if !matches!(*method, Method::POST | Method::GET | Method::DELETE) {
            return forbidden();
        }
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(access_key_id) = authorization.and_then(signed_by) else { return unsigned() };
        let caller = match (self.authorize)(method, access_key_id, id) {
            Ok(caller) => caller,
            Err(denial) => {
                let body = json!({ "Message": denial.message() });
                return response(StatusCode::FORBIDDEN, Some("AccessDeniedException"), Some(body));
            }
        };
        let outcome = match *method {
            Method::POST => self.post(caller.as_deref(), id, body, aborter).await,
            Method::GET => self.get(id),
            _ => self.delete(id),
        };
        outcome.unwrap_or_else(|error| failure(error, id))
    }

    async fn post(
        &self,
        caller: Option<&str>,
        id: &str,
        body: Bytes,
        aborter: &ConnectionAborter,
    ) -> Result<Response<Body>, PushError> {
        // Waits before the frame is sent, not only before the response: the client must not see it earlier than on AWS.
        self.pushes.faults.floor(|latencies| latencies.push.as_ref()).passed().await;
        let decision = caller.map_or(PushDecision::Deliver, |function| self.interceptor.push(function));
        match decision {
            PushDecision::Deliver => self.pushes.push(id, body, aborter).await?,
            PushDecision::Discard => {}
        }
        Ok(response(StatusCode::OK, None, None))
    }

    fn get(&self, id: &str) -> Result<Response<Body>, PushError> {
        let connection = self.pushes.connections.find(id).ok_or(PushError::Gone)?;
        Ok(response(StatusCode::OK, None, Some(description(&connection))))
    }

    fn delete(&self, id: &str) -> Result<Response<Body>, PushError> {
        let connection = self.pushes.connections.find(id).ok_or(PushError::Gone)?;
        // It is gone from now on, however long closing it takes.
        self.pushes.connections.remove(id);
        connection.delete();
        Ok(response(StatusCode::NO_CONTENT, None, None))
    }
}

fn description(connection: &Connection) -> Value {
    let mut identity = json!({ "sourceIp": connection.caller.source_ip.to_string() });
    if let Some(user_agent) = &connection.caller.user_agent {
        identity["userAgent"] = json!(user_agent);
    }
    json!({
        "connectedAt": rfc3339(connection.caller.connected_at),
        "identity": identity,
        "lastActiveAt": rfc3339(connection.last_active_at()),
    })
}

fn failure(error: PushError, id: &str) -> Response<Body> {
    let body = |message: &str| Some(json!({ "message": message, "connectionId": id, "requestId": new_id() }));
    match error {
        PushError::Gone => response(StatusCode::GONE, Some("GoneException"), None),
        PushError::TooLarge => {
            response(StatusCode::PAYLOAD_TOO_LARGE, Some("PayloadTooLargeException"), body("Message too long"))
        }
        PushError::BufferFull => response(
            StatusCode::TOO_MANY_REQUESTS,
            Some("LimitExceededException"),
            body("Too many messages are waiting for this client"),
        ),
        PushError::Internal => response(
            StatusCode::INTERNAL_SERVER_ERROR,
            Some("InternalServerErrorException"),
            body("Internal server error"),
        ),
    }
}
