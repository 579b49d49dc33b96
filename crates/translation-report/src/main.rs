//! Answers `getUsage` and `getFailedTranslations`.

mod cursor;
mod request;
mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Log, Usage};
use shared::config::TranslationReportConfig;
use shared::runtime::{Fatal, serve};
use shared::services::rate_limiter::Limited;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::TranslationReport {
            usage: Usage::open(aws)?,
            log: Log::open(aws)?,
            config: TranslationReportConfig::read()?,
            clock: Clock::System,
        })
    })
    .await
}
