//! Connecting: the authorizer, then `$connect`, and only then the upgrade.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Api;
use super::authorizer::{self, Refusal};
use super::event::{Caller, Handshake, new_id};
use super::session;
use crate::connections::{Connection, forbidden};

/// The longest URL of a WebSocket API in characters.
const URL_LIMIT: usize = 4_096;

/// Answers a request that is to become a connection.
pub(super) async fn answer(api: Arc<Api>, client: SocketAddr, request: Request) -> Response<Body> {
    if request.uri().path().trim_end_matches('/') != format!("/{}", api.model.stage) {
        return forbidden();
    }
    if request.uri().to_string().len() > URL_LIMIT {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    let Some(accept) = websocket_key(&request) else {
        let said = json!({ "message": "Upgrade Required" });
        return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], axum::Json(said)).into_response();
    };
    // A client that goes away in the middle must not leave a $connect without its $disconnect: it goes on by itself.
    tokio::spawn(connect(api, client, request, accept)).await.unwrap_or_else(|_| failed())
}

/// What a client that asks for a WebSocket must be answered as proof; nothing for another request.
fn websocket_key(request: &Request) -> Option<String> {
    let headers = request.headers();
    let lists = |name, word: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|each| each.trim().eq_ignore_ascii_case(word))
    };
    let asks = request.method() == Method::GET
        && lists(header::CONNECTION, "upgrade")
        && lists(header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    asks.then(|| headers.get(header::SEC_WEBSOCKET_KEY)).flatten().map(|key| derive_accept_key(key.as_bytes()))
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
        Err(Refusal { status, body }) => return (status, axum::Json(body)).into_response(),
    }
    let subprotocol = match integrate(&api, &caller, &handshake, &request_id).await {
        Ok(subprotocol) => subprotocol,
        Err(refused) => return refused,
    };

    // From here on the connection can be pushed to; frames wait until the upgrade is through.
    let (connection, to_write) = Connection::open(caller, &api.limits);
    api.connections.add(connection.clone());
    let life = api.sessions.begin();
    tokio::spawn(session::run(api, connection, to_write, hyper::upgrade::on(request), life));

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

/// Asks the authorizer, where there is one.
async fn authorize(
    api: &Api,
    caller: &Caller,
    handshake: &Handshake,
    request_id: &str,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let (Some(authorizer), true) = (&api.model.authorizer, api.model.routes.contains_key("$connect")) else {
        return Ok(None);
    };
    authorizer::has_identity(&authorizer.identity_sources, handshake)?;
    let event = api.envelope.authorization(caller, handshake, request_id);
    let begun = Instant::now();
    let result = api.functions.invoke(&authorizer.function, event.to_string().into()).await;
    authorizer::judge(result.as_deref(), &api.envelope.connect_arn, begun.elapsed()).map(Some)
}

/// Runs `$connect`, where there is one: the subprotocol that it chose, or the answer of a refusal.
async fn integrate(
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
            return Err(failed());
        }
        Err(_) => {
            let said = json!({ "message": "Endpoint request timed out" });
            return Err((StatusCode::GATEWAY_TIMEOUT, axum::Json(said)).into_response());
        }
    };
    match status_of(&result) {
        Some(status) if status.is_success() => Ok(subprotocol_of(&result)),
        Some(status) => Err(status.into_response()),
        None => {
            tracing::warn!("the result of $connect has no statusCode");
            Err(failed())
        }
    }
}

/// The answer where a function failed: API Gateway's "bad gateway".
fn failed() -> Response<Body> {
    (StatusCode::BAD_GATEWAY, axum::Json(json!({ "message": "Internal server error" }))).into_response()
}

fn status_of(result: &Bytes) -> Option<StatusCode> {
    let result: Value = serde_json::from_slice(result).ok()?;
    // Some runtimes write it as text, which API Gateway accepts.
    let status = match &result["statusCode"] {
        Value::String(text) => text.parse().ok()?,
        number => number.as_u64()?,
    };
    StatusCode::from_u16(u16::try_from(status).ok()?).ok().filter(|status| !status.is_informational())
}

/// `Sec-WebSocket-Protocol` of the result's headers, whatever its case.
fn subprotocol_of(result: &Bytes) -> Option<HeaderValue> {
    let result: Value = serde_json::from_slice(result).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in
        result["headers"].as_object().into_iter().chain(result["multiValueHeaders"].as_object()).flatten()
    {
        let value = value.as_str().or_else(|| value[0].as_str());
        if let (true, Some(value)) = (name.eq_ignore_ascii_case("sec-websocket-protocol"), value) {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value.parse().ok()?);
        }
    }
    headers.remove(header::SEC_WEBSOCKET_PROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_be_a_number_or_its_text_and_nothing_else() {
        let status =
            |result: &'static str| status_of(&Bytes::from_static(result.as_bytes())).map(|status| status.as_u16());
        assert_eq!(status(r#"{"statusCode":200}"#), Some(200));
        assert_eq!(status(r#"{"statusCode":"403"}"#), Some(403));
        for result in ["", "null", "{}", r#"{"statusCode":70000}"#, r#"{"statusCode":true}"#, r#"{"statusCode":101}"#] {
            assert_eq!(status(result), None, "{result}");
        }
    }

    #[test]
    fn the_subprotocol_is_found_in_any_case_and_in_either_list() {
        let subprotocol = |result: Value| subprotocol_of(&Bytes::from(result.to_string()));
        assert_eq!(subprotocol(json!({"headers": {"sec-websocket-protocol": "a.v1"}})).unwrap(), "a.v1");
        assert_eq!(subprotocol(json!({"multiValueHeaders": {"Sec-WebSocket-Protocol": ["a.v1"]}})).unwrap(), "a.v1");
        assert_eq!(subprotocol(json!({"headers": {"X-Other": "x"}})), None);
    }
}
