//! Answers `$connect`.

mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, Profiles, RateLimits, Sessions};
use shared::config::ConnectionLimits;
use shared::runtime::{Fatal, serve_lifecycle};
use shared::services::connection_closer::ConnectionCloser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve_lifecycle(module_path!(), async |aws| {
        Ok(route::Connect {
            connections: Connections::open(aws)?,
            profiles: Profiles::open(aws)?,
            sessions: Sessions::open(aws)?,
            closer: ConnectionCloser::open(aws)?,
            limits: ConnectionLimits::read()?,
            rate_limits: RateLimits::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
