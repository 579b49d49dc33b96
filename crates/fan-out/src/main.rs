//! Reads the stream of `messages` and pushes each change to the connections it concerns.

mod broadcaster;
mod frames;
mod reader;
mod upkeep;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, IdempotencyRecords, Members, Rooms};
use shared::adapters::push::Push;
use shared::config::{ExpressConfig, push_rate};
use shared::runtime::{Fatal, serve_stream};
use shared::services::audience::Audience;
use shared::services::rate_limiter::Pacer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve_stream(module_path!(), async |aws| {
        let broadcaster = broadcaster::Broadcaster {
            push: Push::new(aws),
            connections: Connections::open(aws)?,
            pacer: Pacer::new(push_rate()?),
            clock: Clock::System,
            unresponsive: broadcaster::UnresponsiveConnections::default(),
        };
        let has_express_lane = ExpressConfig::read()?.limit > 0;
        let express = if has_express_lane { Some(IdempotencyRecords::open(aws)?) } else { None };
        let upkeep = upkeep::Upkeep { rooms: Rooms::open(aws)?, members: Members::open(aws)? };
        Ok(reader::FanOut { audience: Audience::open(aws)?, broadcaster, upkeep, express, clock: Clock::System })
    })
    .await
}
