//! One message of a client: its route, the function, and the reply.

use std::sync::Arc;

use serde_json::json;

use super::api::Api;
use super::connection::Connection;
use super::event::new_id;
use super::function_result::body_of;

/// Invokes the function of a message's route, and sends its reply.
pub(super) async fn handle(api: Arc<Api>, connection: Arc<Connection>, text: String) {
    let caller = &connection.caller;
    let request_id = new_id();
    let error = |message: &str| {
        json!({ "message": message, "connectionId": caller.connection_id, "requestId": request_id }).to_string()
    };
    let key = api.selection.key(&text).filter(|key| !key.starts_with('$'));
    let route = key.and_then(|key| api.model.routes.get(&key)).or_else(|| api.model.routes.get("$default"));
    let Some(route) = route else {
        return connection.reply(error("Forbidden")).await;
    };
    let event = api.envelope.message(caller, &route.key, &request_id, &text);
    drop(text);
    let overhead = || api.faults.floor(|latencies| latencies.api_gateway.as_ref());
    overhead().passed().await;
    let invocation = api.functions.invoke(&route.function, event.to_string().into());
    let reply = match tokio::time::timeout(route.integration_timeout, invocation).await {
        Ok(Ok(result)) if route.response => match body_of(&result, api.limits.message_bytes) {
            Ok(body) => body,
            Err(problem) => {
                tracing::warn!(route = route.key, problem, "the function's result is not a valid reply");
                Some(error("Internal server error"))
            }
        },
        Ok(Ok(_)) => None,
        Ok(Err(problem)) => {
            tracing::warn!(route = route.key, %problem, "the function failed");
            Some(error("Internal server error"))
        }
        Err(_) => Some(error("Endpoint request timed out")),
    };
    if let Some(reply) = reply {
        overhead().passed().await;
        connection.reply(reply).await;
    }
}
