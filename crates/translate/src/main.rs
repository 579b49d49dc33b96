//! Answers `translateMessage` and `setTranslatedMessage`.

mod correct;
mod request;
mod route;

use protocol::clock::Clock;
use shared::runtime::{Fatal, serve};
use shared::services::membership::Membership;
use shared::services::rate_limiter::{Limited, RateLimiter};
use shared::services::translator::Translator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::Translate {
            membership: Membership::open(aws)?,
            translator: Translator::open(aws).await?,
            rate_limiter: RateLimiter::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
