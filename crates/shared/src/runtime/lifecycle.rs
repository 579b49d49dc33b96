//! Functions that API Gateway calls when a connection is made and after it has ended.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};

use super::caller::{Caller, Handshake};
use super::function::{Fatal, run, start, trace_request};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::error::{Error, chain};
use crate::metric::{self, Metric};
use protocol::wire::Code;

/// The answer to `$connect`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The accepted subprotocol among those that the client offered. API Gateway requires it to be echoed.
    pub subprotocol: Option<&'static str>,
}

/// What happens when a connection is made, or has ended.
pub trait Lifecycle {
    /// Reads any row, to open the connection to DynamoDB during INIT.
    fn warm_up(&self) -> impl Future<Output = ()> {
        async {}
    }

    fn handle(&self, caller: &Caller, handshake: Handshake<'_>) -> impl Future<Output = Result<Accepted, Error>>;
}

/// Serves `$connect` or `$disconnect` until Lambda ends the function.
pub async fn serve_lifecycle<L: Lifecycle>(
    function: &'static str,
    build: impl AsyncFnOnce(&Aws) -> Result<L, ConfigError>,
) -> Result<(), Fatal> {
    let lifecycle = &start(function, async |aws| {
        let lifecycle = build(aws).await?;
        aws.warm_up(lifecycle.warm_up()).await;
        Ok(lifecycle)
    })
    .await?;
    run(async move |event: ApiGatewayWebsocketProxyRequest| Ok(handle(lifecycle, event).await)).await
}

async fn handle<L: Lifecycle>(lifecycle: &L, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
    trace_request(&event.request_context, None);
    let mut response = ApiGatewayProxyResponse::default();
    let outcome = match Caller::from_context(&event.request_context) {
        Some(caller) => {
            let identity = &event.request_context.identity;
            let handshake = Handshake {
                headers: &event.headers,
                address: identity.source_ip.as_deref(),
                user_agent: identity.user_agent.as_deref(),
            };
            lifecycle.handle(&caller, handshake).await
        }
        None => {
            Err(Error::Failed("the authorizer's context is missing or incomplete; check the API's authorizer".into()))
        }
    };
    response.status_code = match outcome {
        Ok(accepted) => {
            if let Some(subprotocol) = accepted.subprotocol {
                response.headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
            }
            200
        }
        Err(Error::Refused(refusal)) => {
            tracing::info!(code = ?refusal.code, "refused a connection");
            if refusal.code == Code::RateLimited { 429 } else { 403 }
        }
        Err(Error::Failed(error)) => {
            tracing::error!(error = chain(&*error), "request failed");
            metric::count(Metric::Failed, 1);
            500
        }
    };
    response
}
