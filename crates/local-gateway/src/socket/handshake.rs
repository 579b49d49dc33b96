//! Connecting: the authorizer, then `$connect`, and only then the upgrade.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::api::Api;
use super::authorizer::{self, Rejection};
use super::connection::Connection;
use super::event::{Caller, Handshake, new_id};
use super::function_result::{status_of, subprotocol_of};
use super::responses::forbidden;
use super::session;

/// The longest URL of a WebSocket API in characters.
const MAX_URL_LENGTH: usize = 4_096;

/// Answers a request to connect.
pub(super) async fn answer(api: Arc<Api>, client: SocketAddr, request: Request) -> Response<Body> {
    if request.uri().path().trim_end_matches('/') != format!("/{}", api.model.stage) {
        return forbidden();
    }
    if request.uri().to_string().len() > MAX_URL_LENGTH {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    let Some(accept) = accept_key(&request) else {
        let body = json!({ "message": "Upgrade Required" });
        return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], axum::Json(body)).into_response();
    };
    // A task of its own: if the client disconnects meanwhile, $connect must not be left without its $disconnect.
    tokio::spawn(connect(api, client, request, accept)).await.unwrap_or_else(|_| bad_gateway())
}

/// `Sec-WebSocket-Accept` for a WebSocket handshake; `None` for any other request.
fn accept_key(request: &Request) -> Option<String> {
    let headers = request.headers();
    let contains = |name, word: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|each| each.trim().eq_ignore_ascii_case(word))
    };
    let is_upgrade = request.method() == Method::GET
        && contains(header::CONNECTION, "upgrade")
        && contains(header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    is_upgrade.then(|| headers.get(header::SEC_WEBSOCKET_KEY)).flatten().map(|key| derive_accept_key(key.as_bytes()))
}

async fn connect(api: Arc<Api>, client: SocketAddr, request: Request, accept: String) -> Response<Body> {
    let handshake = Handshake::of(request.uri(), request.headers(), client.ip());
    let mut caller = Caller {
        connection_id: new_id(),
        connected_at: SystemTime::now(),
        source_ip: client.ip(),
        user_agent: handshake.header("User-Agent").map(str::to_owned),
        authorizer: None,
    };
    let request_id = new_id();
    match authorize(&api, &caller, &handshake, &request_id).await {
        Ok(authorizer) => caller.authorizer = authorizer,
        Err(Rejection { status, body }) => return (status, axum::Json(body)).into_response(),
    }
    let subprotocol = match run_connect(&api, &caller, &handshake, &request_id).await {
        Ok(subprotocol) => subprotocol,
        Err(response) => return response,
    };

    // From here on the connection accepts pushes; frames are queued until the upgrade is complete.
    let (connection, to_write) = Connection::open(caller, &api.limits);
    api.connections.add(connection.clone());
    let token = api.sessions.token();
    tokio::spawn(session::run(api, connection, to_write, hyper::upgrade::on(request), token));

    let upgrade = [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "upgrade"),
        (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
    ];
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, upgrade).into_response();
    if let Some(subprotocol) = subprotocol {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    response
}

/// Invokes the authorizer, if any.
async fn authorize(
    api: &Api,
    caller: &Caller,
    handshake: &Handshake,
    request_id: &str,
) -> Result<Option<Map<String, Value>>, Rejection> {
    let Some(authorizer) = &api.model.authorizer else { return Ok(None) };
    if !api.model.routes.contains_key("$connect") {
        return Ok(None);
    }
    authorizer::check_identity_sources(&authorizer.identity_sources, handshake)?;
    let event = api.envelope.authorization(caller, handshake, request_id);
    let started = Instant::now();
    let result = api.functions.invoke(&authorizer.function, event.to_string().into()).await;
    authorizer::decide(result.as_deref(), &api.envelope.connect_arn, started.elapsed()).map(Some)
}

/// Runs `$connect`, if any. Returns the subprotocol that it chose, or the response of a rejection.
async fn run_connect(
    api: &Api,
    caller: &Caller,
    handshake: &Handshake,
    request_id: &str,
) -> Result<Option<HeaderValue>, Response<Body>> {
    let Some(route) = api.model.routes.get("$connect") else { return Ok(None) };
    let event = api.envelope.connect(caller, handshake, request_id);
    let invocation = api.functions.invoke(&route.function, event.to_string().into());
    let result = match tokio::time::timeout(route.integration_timeout, invocation).await {
        Ok(Ok(result)) => result,
        Ok(Err(problem)) => {
            tracing::warn!(%problem, "$connect failed");
            return Err(bad_gateway());
        }
        Err(_) => {
            let body = json!({ "message": "Endpoint request timed out" });
            return Err((StatusCode::GATEWAY_TIMEOUT, axum::Json(body)).into_response());
        }
    };
    match status_of(&result) {
        Some(status) if status.is_success() => Ok(subprotocol_of(&result)),
        Some(status) => Err(status.into_response()),
        None => {
            tracing::warn!("the result of $connect has no statusCode");
            Err(bad_gateway())
        }
    }
}

/// The response if a function fails.
fn bad_gateway() -> Response<Body> {
    (StatusCode::BAD_GATEWAY, axum::Json(json!({ "message": "Internal server error" }))).into_response()
}
