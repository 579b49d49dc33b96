//! Answers `getChatHistory`.

mod period;
mod route;

use shared::adapters::dynamodb::Log;
use shared::runtime::{Fatal, serve};
use shared::services::membership::Membership;
use shared::services::rate_limiter::{Limited, RateLimiter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::GetChatHistory {
            membership: Membership::open(aws)?,
            log: Log::open(aws)?,
            rate_limiter: RateLimiter::open(aws)?,
        })
    })
    .await
}
