//! The endpoint that the functions' SDKs call: DynamoDB, DynamoDB Streams and Secrets Manager, told apart by
//! `X-Amz-Target`.
//!
//! A call passes through the layers from top to bottom: authorization and latencies here, then `faulty`, `intercepted`
//! and `services`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, header};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::connection_aborter::{AbortableListener, Peer};
use crate::dynamodb::ApiError;
use crate::faults::Faults;
use crate::iam::Iam;
use crate::identity::Identities;
use crate::interceptor::Interceptor;
use faulty::{FaultyServices, Reply};
use intercepted::InterceptedServices;
use services::{Call, Service};

mod faulty;
mod intercepted;
mod services;
#[cfg(test)]
mod tests;

pub(crate) use services::Services;

/// DynamoDB accepts bodies of up to 16 MB.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The running endpoint; dropping it stops it.
pub(crate) struct AwsEndpoint {
    address: SocketAddr,
    task: AbortHandle,
}

struct EndpointState {
    services: FaultyServices,
    identities: Identities,
    iam: Iam,
    faults: Faults,
}

impl AwsEndpoint {
    /// # Errors
    ///
    /// If the listener has no address.
    pub(crate) fn start(
        listener: TcpListener,
        services: Services,
        interceptor: Arc<dyn Interceptor>,
        identities: Identities,
        iam: Iam,
        faults: Faults,
    ) -> std::io::Result<AwsEndpoint> {
        let address = listener.local_addr()?;
        let inner = InterceptedServices { services, interceptor };
        let services = FaultyServices { inner, faults: faults.clone() };
        let router = Router::new()
            .route("/", post(receive))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(Arc::new(EndpointState { services, identities, iam, faults }))
            .into_make_service_with_connect_info::<Peer>();
        let task = tokio::spawn(async move {
            // Ends only with the task: `axum::serve` retries when accepting a connection fails.
            let _ = axum::serve(AbortableListener(listener), router).await;
        });
        Ok(AwsEndpoint { address, task: task.abort_handle() })
    }

    /// `http://127.0.0.1:<port>`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for AwsEndpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl EndpointState {
    /// Answers a call. Policies come first: a call that they do not allow costs nothing and meets no fault.
    async fn answer(&self, call: Call) -> Reply {
        let Some(function) = &call.caller else { return self.services.perform(call).await };
        let secrets = &self.services.inner.services.secrets;
        let allowed = match call.service {
            Service::DynamoDb => self.iam.allow_dynamodb(function, &call.operation, &call.request),
            Service::SecretsManager => self.iam.allow_secrets(function, &call.operation, &call.request, secrets),
        };
        if let Err(denial) = allowed {
            return Reply::Response(Err(denial.api_error()));
        }
        let floor = self.faults.floor(|latencies| match call.service {
            Service::DynamoDb => latencies.of_dynamodb(&call.operation),
            Service::SecretsManager => latencies.secrets.as_ref(),
        });
        let reply = self.services.perform(call).await;
        floor.passed().await;
        reply
    }
}

#[expect(clippy::expect_used, reason = "every part of the response is valid")]
async fn receive(
    State(state): State<Arc<EndpointState>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let reply = match read(&state, &headers, &body) {
        Ok(call) => state.answer(call).await,
        Err(error) => Reply::Response(Err(error)),
    };
    let (status, body) = match reply {
        Reply::Response(Ok(body)) => (200, body),
        Reply::Response(Err(error)) => (error.status, error.body),
        Reply::Abort => {
            peer.aborter.abort();
            (200, Value::Null)
        }
    };
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("application/x-amz-json-1.0");
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .header("x-amzn-requestid", Uuid::new_v4().to_string())
        .body(Body::from(body.to_string()))
        .expect("the status is an API's, and the header came with the request")
}

fn read(state: &EndpointState, headers: &HeaderMap, body: &[u8]) -> Result<Call, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, operation) = match text("x-amz-target").split_once('.') {
        Some(("DynamoDB_20120810" | "DynamoDBStreams_20120810", operation)) => (Service::DynamoDb, operation),
        Some(("secretsmanager", operation)) => (Service::SecretsManager, operation),
        _ => return Err(ApiError::unknown_operation()),
    };
    let authorization = text("authorization");
    if crate::identity::signed_by(authorization).is_none() {
        let kind = "com.amazon.coral.service#MissingAuthenticationTokenException";
        let message = "Request must contain either a valid (registered) AWS access key ID or X.509 certificate.";
        return Err(ApiError::new(400, kind, message));
    }
    let request = serde_json::from_slice(body).ok().filter(Value::is_object).ok_or_else(|| {
        ApiError::new(400, "com.amazon.coral.service#SerializationException", "the body is not a JSON object")
    })?;
    let caller = state.identities.caller(authorization).map(str::to_owned);
    Ok(Call { caller, service, operation: operation.to_owned(), request })
}
