//! The door to the WebSockets: API Gateway's management API.
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
use tokio::time::{Instant, sleep};

use crate::aws::Aws;
use crate::metric::{self, Metric};
use protocol::ids::ConnectionId;

/// How a push ended. None of these is an error: a slow or vanished reader never holds up the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// API Gateway took it.
    Delivered,
    /// The connection is no more (410), or not yet.
    Gone,
    /// Given up, after several tries or for taking too long; the client repairs itself by `seq`.
    Dropped,
}

/// How closing a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// API Gateway closed it.
    Closed,
    /// There is none (410): it has ended, or it is still being made.
    Gone,
    /// It may be open still; why is logged.
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
    /// How many pushes are under way at once.
    pub const AT_ONCE: usize = 64;

    /// How long a push may take, its repetitions included. One within a region is answered in 10 ms at p50 and 40 ms at p99
    /// (`crates/measure/latencies.json`); what is more than that is for the TLS handshakes of many pushes at once, for which a
    /// small function has a share of a processor.
    pub const PATIENCE: Duration = Duration::from_secs(1);
    /// How long it may take where no connection to AWS stands for certain.
    const HANDSHAKE: Duration = Duration::from_secs(2);
    /// How long a connection to AWS stands for certain after an answer: the HTTP client keeps an idle one for 90 s.
    const STANDS: Duration = Duration::from_secs(60);

    /// The SDK's own retries serve for 429 and 5xx: three tries with jitter growing from 50 ms. What is not answered is not
    /// tried again: whoever pushes has lost patience by then.
    pub fn new(aws: &Aws) -> Self {
        let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50));
        Self::with(aws.sdk(), retries, Self::HANDSHAKE)
    }

    /// For somebody who waits: one try of at most half a second, because another way is left.
    pub fn single_attempt(aws: &Aws) -> Self {
        Self::with(aws.sdk(), RetryConfig::disabled(), Duration::from_millis(500))
    }

    fn with(sdk: &SdkConfig, retries: RetryConfig, patience: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(patience).build();
        let config = Builder::from(sdk).retry_config(retries).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), answered: Arc::default() }
    }

    /// Sends one text frame of at most 128 KB to one connection.
    pub async fn send(&self, connection: &ConnectionId, frame: &str) -> Delivery {
        self.send_within(Self::PATIENCE, connection, frame).await
    }

    /// The same, for somebody with less patience, or with more.
    pub async fn send_within(&self, patience: Duration, connection: &ConnectionId, frame: &str) -> Delivery {
        let error = tokio::select! {
            biased;
            offered = self.offer(connection, frame) => match offered {
                Ok(()) => return Delivery::Delivered,
                Err(error) if error.as_service_error().is_some_and(|error| error.is_gone_exception()) => {
                    return Delivery::Gone;
                }
                Err(error) => crate::error::chain(&error),
            },
            () = self.overdue(patience) => "it is not answered".to_owned(),
        };
        tracing::warn!(%connection, bytes = frame.len(), error, "a push was dropped");
        metric::count(Metric::PushDropped, 1);
        Delivery::Dropped
    }

    /// Ends when a push that begins now has taken too long.
    async fn overdue(&self, patience: Duration) {
        const STEPS: u32 = 3;
        let begun = Instant::now();
        // Step by step: where the whole process stands still for a while, that is one step and not the connection's fault.
        for _ in 0..STEPS {
            sleep(patience / STEPS).await;
        }
        while !self.stands() && begun.elapsed() < Self::HANDSHAKE {
            sleep(patience / STEPS).await;
        }
    }

    /// Whether a connection to AWS stands for certain.
    fn stands(&self) -> bool {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|at| at.elapsed() < Self::STANDS)
    }

    /// Whether the connection took one text frame; why not is left to who tries again.
    pub async fn try_send(&self, connection: &ConnectionId, frame: &str) -> bool {
        self.offer(connection, frame).await.is_ok()
    }

    async fn offer(
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

    /// Closes a connection.
    pub async fn close(&self, connection: &ConnectionId) -> Closing {
        match self.client.delete_connection().connection_id(connection.as_str()).send().await {
            Ok(_) => Closing::Closed,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_gone_exception()) => Closing::Gone,
            Err(error) => {
                tracing::warn!(%connection, error = %crate::error::chain(&error), "a connection could not be closed");
                Closing::Failed
            }
        }
    }
}
