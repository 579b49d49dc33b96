//! Answers `joinGroup`.

mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, Log, Members, Rooms};
use shared::runtime::{Fatal, serve};
use shared::services::rate_limiter::RateLimiter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Ok(route::JoinGroup {
            rooms: Rooms::open(aws)?,
            members: Members::open(aws)?,
            connections: Connections::open(aws)?,
            log: Log::open(aws)?,
            rate_limiter: RateLimiter::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
