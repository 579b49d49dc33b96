//! Pushing to WebSockets, by API Gateway's management API.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::config::http::HttpResponse;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use protocol::ids::ConnectionId;
use tokio::time::{Instant, sleep};

use super::delivery_policy::DeliveryPolicy;
use crate::aws::Aws;
use crate::metric::{self, Metric};

/// How a push ended. None of these is an error: a slow or vanished reader never delays the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushOutcome {
    Delivered,
    /// API Gateway does not know the connection (410): it has ended, or its handshake goes on.
    Gone,
    /// Given up, after several attempts or for taking too long. The client notices the gap in `seq`.
    Dropped,
}

/// How closing a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOutcome {
    Closed,
    /// API Gateway does not know the connection (410): it has ended, or its handshake goes on.
    Gone,
    /// It may still be open; the cause is logged.
    Failed,
}

/// Pushes frames to connections.
#[derive(Debug, Clone)]
pub struct Push {
    client: Client,
    /// When AWS last answered a push.
    answered: Arc<Mutex<Option<Instant>>>,
}

impl Push {
    /// Retries 429 and 5xx. An attempt that is not answered is not repeated: by then the push has timed out.
    pub fn new(aws: &Aws) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(DeliveryPolicy::MAX_ATTEMPTS)
            .with_initial_backoff(DeliveryPolicy::INITIAL_BACKOFF);
        Self::with(aws.sdk(), retries, DeliveryPolicy::HANDSHAKE_TIMEOUT)
    }

    /// For a caller that waits and has another way left.
    pub fn single_attempt(aws: &Aws) -> Self {
        Self::with(aws.sdk(), RetryConfig::disabled(), DeliveryPolicy::SINGLE_ATTEMPT_TIMEOUT)
    }

    fn with(sdk: &SdkConfig, retries: RetryConfig, attempt_timeout: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(attempt_timeout).build();
        let config = Builder::from(sdk).retry_config(retries).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), answered: Arc::default() }
    }

    /// Sends one text frame of at most 128 KB to one connection.
    pub async fn send(&self, connection: &ConnectionId, frame: &str) -> PushOutcome {
        self.send_within(DeliveryPolicy::PUSH_TIMEOUT, connection, frame).await
    }

    /// The same with another timeout.
    pub async fn send_within(&self, timeout: Duration, connection: &ConnectionId, frame: &str) -> PushOutcome {
        let error = tokio::select! {
            biased;
            posted = self.post(connection, frame) => match posted {
                Ok(()) => return PushOutcome::Delivered,
                Err(error) if error.as_service_error().is_some_and(|error| error.is_gone_exception()) => {
                    return PushOutcome::Gone;
                }
                Err(error) => crate::error::chain(&error),
            },
            () = self.time_out(timeout) => "timed out".to_owned(),
        };
        tracing::warn!(%connection, bytes = frame.len(), error, "dropped a push");
        metric::count(Metric::PushDropped, 1);
        PushOutcome::Dropped
    }

    /// Ends when a push that begins now has taken too long.
    async fn time_out(&self, timeout: Duration) {
        const STEPS: u32 = 3;
        let begun = Instant::now();
        // In steps: if the whole process gets no CPU for a while, that uses up one step only, and not the connection's
        // time.
        for _ in 0..STEPS {
            sleep(timeout / STEPS).await;
        }
        while !self.has_open_connection() && begun.elapsed() < DeliveryPolicy::HANDSHAKE_TIMEOUT {
            sleep(timeout / STEPS).await;
        }
    }

    /// Whether a TLS connection to AWS is surely open.
    fn has_open_connection(&self) -> bool {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|at| at.elapsed() < DeliveryPolicy::CONNECTION_REUSE)
    }

    /// Whether the connection took one text frame. Logs nothing: the caller has another way left.
    pub async fn try_send(&self, connection: &ConnectionId, frame: &str) -> bool {
        self.post(connection, frame).await.is_ok()
    }

    async fn post(
        &self,
        connection: &ConnectionId,
        frame: &str,
    ) -> Result<(), SdkError<PostToConnectionError, HttpResponse>> {
        let call = self.client.post_to_connection().connection_id(connection.as_str()).data(Blob::new(frame));
        let outcome = call.send().await.map(|_| ());
        if matches!(outcome, Ok(()) | Err(SdkError::ServiceError(_))) {
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        outcome
    }

    pub async fn close(&self, connection: &ConnectionId) -> CloseOutcome {
        match self.client.delete_connection().connection_id(connection.as_str()).send().await {
            Ok(_) => CloseOutcome::Closed,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_gone_exception()) => CloseOutcome::Gone,
            Err(error) => {
                tracing::warn!(%connection, error = %crate::error::chain(&error), "failed to close a connection");
                CloseOutcome::Failed
            }
        }
    }
}
