//! Starting a function: its log and its event loop.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequestContext;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::field::Empty;
use tracing::{Instrument, Metadata, Span};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::aws::Aws;
use crate::config::RuntimeConfig;
use crate::error::chain;
use crate::metric::{self, Metric};
use protocol::access::Action;

/// Ends a function at its start; the log shows the message.
pub type Fatal = lambda_runtime::Error;

/// Starts a function, whose `module_path!()` is given: its log, the SDK, and what `build` makes. If that fails, every
/// request does, and Lambda only says that a process has ended.
pub async fn start<T>(function: &'static str, build: impl AsyncFnOnce(&Aws) -> Result<T, Fatal>) -> Result<T, Fatal> {
    start_logging(function)?;
    let started = async { build(&Aws::connect().await?).await }.await;
    if let Err(error) = &started {
        tracing::error!(error = chain(&**error), "failed to start");
        metric::count(Metric::Failed, 1);
    }
    started
}

/// Serves events until Lambda ends the function. Every line that is logged meanwhile names the invocation, as Lambda's
/// own lines do.
pub async fn run<E, R>(handler: impl AsyncFn(E) -> Result<R, Fatal>) -> Result<(), Fatal>
where
    E: DeserializeOwned,
    R: Serialize,
{
    let handler = &handler;
    let handle = move |event: LambdaEvent<E>| {
        // At the highest level, so that no `LOG_LEVEL` leaves it out.
        let invocation = tracing::error_span!(
            "invocation",
            lambda_request_id = event.context.request_id,
            connection_id = Empty,
            action = Empty
        );
        handler(event.payload).instrument(invocation)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Names the connection and the action of this invocation in the lines that follow.
pub(super) fn trace_request(context: &ApiGatewayWebsocketProxyRequestContext, action: Option<Action>) {
    let invocation = Span::current();
    if let Some(connection_id) = &context.connection_id {
        invocation.record("connection_id", connection_id);
    }
    if let Some(action) = action {
        invocation.record("action", action.as_str());
    }
}

/// Logs JSON lines to standard output: those of this function and of our libraries from `LOG_LEVEL` on, those of other
/// libraries from `warn` on, because what they log in detail can hold what people wrote.
pub(super) fn start_logging(function: &'static str) -> Result<(), Fatal> {
    let level = RuntimeConfig::read()?.log_level;
    let filter = filter_fn(move |metadata| {
        let origin = metadata.target().split("::").next();
        let is_ours = origin == Some(function) || origin == Some("shared");
        let most_verbose = if is_ours { level } else { tracing::Level::WARN };
        *metadata.level() <= most_verbose && !is_returned_error(metadata)
    });
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()?;
    Ok(())
}

/// Whether a line is the runtime's about an error that a handler returned. We have logged it already, or it is none:
/// the authorizer has no other way to refuse a handshake. Panics come from the same module, with a field.
fn is_returned_error(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "lambda_runtime::layers::panic" && metadata.fields().field("error").is_none()
}
