//! Answers `markRead`.

mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::Log;
use shared::adapters::push::Push;
use shared::runtime::{Fatal, serve};
use shared::services::audience::Audience;
use shared::services::membership::Membership;
use shared::services::rate_limiter::Limited;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::MarkRead {
            membership: Membership::open(aws)?,
            log: Log::open(aws)?,
            audience: Audience::open(aws)?,
            push: Push::new(aws),
            clock: Clock::System,
        })
    })
    .await
}
