//! Answers `getUsage` and `getFailedTranslations`: what a hospital's translations cost, and which there are none of.

mod cursor;
mod request;
mod route;

use shared::adapters::dynamodb::BillingAccount;
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    let usage = doors.usage()?;
    doors.warm(usage.month(&BillingAccount::Account, "none")).await;
    serve(
        route::TranslationReport {
            usage,
            log: doors.log()?,
            budget: shared::config::translation_budget()?,
            price: shared::config::deepl_price()?,
            clock: doors.clock(),
        },
        doors.connections()?,
    )
    .await
}
