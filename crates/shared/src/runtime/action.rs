//! Functions that answer an action of the WebSocket API.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::encodings::Body;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::function::{Fatal, run, start, start_logging, trace_request};
use crate::adapters::dynamodb::{Connections, TableError};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::error::{Error, chain};
use crate::metric::{self, Metric};
use protocol::access::Action;
use protocol::clock::{Clock, Timestamp};
use protocol::ids::RoomId;
use protocol::wire::{Code, Frame, Refusal, Reply};

/// The fields of one action (or of several that one function answers), parsed before the route sees them.
pub trait Request: Sized {
    /// Reads them; a refusal names the field that is wrong.
    fn parse(frame: Frame) -> Result<Self, Error>;
}

impl<T: DeserializeOwned> Request for T {
    fn parse(frame: Frame) -> Result<Self, Error> {
        Ok(frame.fields()?)
    }
}

/// The failure of a function that receives an action which it does not serve: the template routes it to the wrong
/// function.
pub fn unserved_action(action: Option<Action>) -> Error {
    let name = action.map_or("an unknown action", Action::as_str);
    Error::Failed(format!("this function does not serve {name}; correct its route in the template").into())
}

/// One route: what happens when its action is requested.
pub trait Route {
    type Request: Request;
    type Reply: Serialize;

    fn handle(&self, caller: &Caller, request: Self::Request) -> impl Future<Output = Result<Self::Reply, Error>>;
}

/// Looks up sessions that were refreshed after their connections were made.
pub trait SessionLookup {
    /// When the caller's session ends; `None` if it was not refreshed.
    fn session_until(&self, caller: &Caller) -> impl Future<Output = Result<Option<Timestamp>, TableError>>;
}

impl SessionLookup for Connections {
    async fn session_until(&self, caller: &Caller) -> Result<Option<Timestamp>, TableError> {
        let own = self.get(caller.participant(), &caller.connection_id).await?;
        Ok(own.map(|connection| connection.session_until))
    }
}

/// For a route that calls nothing: a session lasts as long as the token that its connection was made with.
pub struct NoLookup;

impl SessionLookup for NoLookup {
    async fn session_until(&self, _caller: &Caller) -> Result<Option<Timestamp>, TableError> {
        Ok(None)
    }
}

/// Serves a route until Lambda ends the function. Sessions refreshed since are looked up only once the token that the
/// connection was made with has expired.
pub async fn serve<R: Route>(
    function: &'static str,
    build: impl AsyncFnOnce(&Aws) -> Result<R, ConfigError>,
) -> Result<(), Fatal> {
    let (route, connections) = start(function, async |aws| {
        let connections = Connections::open(aws)?;
        let route = build(aws).await?;
        aws.warm_up(connections.warm_up()).await;
        Ok((route, connections))
    })
    .await?;
    serve_route(route, connections).await
}

/// Serves a route that calls nothing: a session lasts as long as the token that its connection was made with.
pub async fn serve_without_aws<R: Route>(function: &'static str, route: R) -> Result<(), Fatal> {
    start_logging(function)?;
    serve_route(route, NoLookup).await
}

async fn serve_route<R: Route>(route: R, sessions: impl SessionLookup) -> Result<(), Fatal> {
    let route = &route;
    let sessions = &sessions;
    run(async move |event: ApiGatewayWebsocketProxyRequest| {
        Ok(respond(handle(route, sessions, Clock::System, event).await))
    })
    .await
}

fn respond(body: String) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = 200;
    response.body = Some(Body::Text(body));
    response
}

/// One request, from the event to the text of the reply.
async fn handle<R: Route>(
    route: &R,
    sessions: &impl SessionLookup,
    clock: Clock,
    event: ApiGatewayWebsocketProxyRequest,
) -> String {
    let body = event.body.as_deref().unwrap_or_default();
    let frame = match Frame::parse(body) {
        Ok(frame) => frame,
        Err(invalid) => {
            trace_request(&event.request_context, None);
            let action = invalid.action_name.unwrap_or_default();
            return refuse(&action, invalid.request_id.as_deref(), &invalid.refusal);
        }
    };
    trace_request(&event.request_context, frame.action);
    let action = frame.action_name.clone();
    let request_id = frame.request_id.clone();
    let request_id = request_id.as_deref();
    match answer(route, sessions, clock, &event, frame).await {
        Ok(reply) => match serde_json::to_string(&Reply::done(&action, request_id, reply)) {
            Ok(reply) => reply,
            Err(error) => fail(&action, request_id, body, &error),
        },
        Err(Error::Refused(refusal)) => refuse(&action, request_id, &refusal),
        Err(Error::Failed(error)) => fail(&action, request_id, body, &*error),
    }
}

async fn answer<R: Route>(
    route: &R,
    sessions: &impl SessionLookup,
    clock: Clock,
    event: &ApiGatewayWebsocketProxyRequest,
    frame: Frame,
) -> Result<R::Reply, Error> {
    let mut caller = Caller::from_context(&event.request_context).ok_or_else(|| {
        Error::Failed("the authorizer's context is missing or incomplete; check the API's authorizer".into())
    })?;
    if caller.session_until <= clock.now()
        && let Some(until) = sessions.session_until(&caller).await?
    {
        caller.session_until = until;
    }
    if caller.session_until <= clock.now() {
        return Err(Refusal::new(
            Code::SessionExpired,
            "the token of this connection has expired; connect again with a new token",
        )
        .into());
    }
    route.handle(&caller, R::Request::parse(frame)?).await
}

fn refuse(action: &str, request_id: Option<&str>, refusal: &Refusal) -> String {
    // Not the action: if it has no route, it may be anything that a person typed.
    tracing::info!(code = ?refusal.code, "refused a request");
    error_frame(action, request_id, refusal)
}

fn fail(action: &str, request_id: Option<&str>, body: &str, error: &(dyn std::error::Error + 'static)) -> String {
    let room = room_of(body).map(|room| room.to_string());
    tracing::error!(room, error = chain(error), "request failed");
    metric::count(Metric::Failed, 1);
    error_frame(action, request_id, &Refusal::internal())
}

/// The room that a request names. What is no room's id is not logged: it may be anything that a person typed.
fn room_of(body: &str) -> Option<RoomId> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(alias = "group_id", alias = "groupId")]
        room_id: RoomId,
    }
    serde_json::from_str(body).ok().map(|Named { room_id }| room_id)
}

fn error_frame(action: &str, request_id: Option<&str>, refusal: &Refusal) -> String {
    // A refusal contains only strings and numbers, which always serialize.
    serde_json::to_string(&Reply::refused(action, request_id, refusal)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::room_of;

    #[test]
    fn only_well_formed_rooms_are_logged() {
        let room = |body: &str| room_of(body).map(|room| room.to_string());
        for name in ["room_id", "group_id", "groupId"] {
            let body = format!(r#"{{"action":"joinGroup","{name}":"consult:aiko:seoul-clinic"}}"#);
            assert_eq!(room(&body).as_deref(), Some("consult:aiko:seoul-clinic"));
        }
        for body in [r#"{"room_id":"my secret"}"#, r#"{"room_id":5}"#, r#"{"message":"room_id"}"#, "{"] {
            assert_eq!(room(body), None, "{body}");
        }
    }
}
