//! Starting a function: its log and its event loop.

use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::aws::Aws;
use crate::config::RuntimeConfig;

/// Ends a function at its start; the log shows the message.
pub type Fatal = lambda_runtime::Error;

/// Starts the log and reads the SDK's configuration. `function` is the `module_path!()` of its crate.
pub async fn start(function: &'static str) -> Result<Aws, Fatal> {
    start_logging(function)?;
    Ok(Aws::connect().await?)
}

/// Serves events until Lambda ends the function.
pub async fn run<E, R>(handler: impl AsyncFn(E) -> Result<R, Fatal>) -> Result<(), Fatal>
where
    E: DeserializeOwned,
    R: Serialize,
{
    let handler = &handler;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| handler(event.payload))).await
}

/// Logs JSON lines to standard output: those of this function and of our libraries from `LOG_LEVEL` on, those of other
/// libraries from `warn` on, because what they log in detail can hold what people wrote.
pub(super) fn start_logging(function: &'static str) -> Result<(), Fatal> {
    let level = RuntimeConfig::read()?.log_level;
    let filter = filter_fn(move |metadata| {
        let origin = metadata.target().split("::").next();
        let is_ours = origin == Some(function) || origin == Some("shared");
        let most_verbose = if is_ours { level } else { tracing::Level::WARN };
        *metadata.level() <= most_verbose
    });
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()?;
    Ok(())
}
