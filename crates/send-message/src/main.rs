//! Answers `sendMessage`.

mod express;
mod flood_control;
mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, IdempotencyRecords, Log};
use shared::adapters::push::Push;
use shared::config::{ExpressConfig, FloodLimits};
use shared::runtime::{Fatal, serve};
use shared::services::audience::Audience;
use shared::services::digest::DigestKey;
use shared::services::membership::Membership;
use shared::services::rate_limiter::Limited;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        let express = express::Express {
            audience: Audience::open(aws)?,
            push: Push::single_attempt(aws),
            records: IdempotencyRecords::open(aws)?,
            limit: ExpressConfig::read()?.limit,
        };
        Limited::new(route::SendMessage {
            membership: Membership::open(aws)?,
            log: Log::open(aws)?,
            records: IdempotencyRecords::open(aws)?,
            connections: Connections::open(aws)?,
            digest: DigestKey::open(aws).await?,
            express,
            flood_control: flood_control::FloodControl { limits: FloodLimits::read()? },
            clock: Clock::System,
        })
    })
    .await
}
