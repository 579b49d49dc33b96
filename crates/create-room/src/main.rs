//! Answers `createRoom`.

mod request;
mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Log, Members, Profiles, Rooms};
use shared::config::NewRoomConfig;
use shared::runtime::{Fatal, serve};
use shared::services::member_profile::MemberProfiles;
use shared::services::rate_limiter::{Limited, RateLimiter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::CreateRoom {
            rooms: Rooms::open(aws)?,
            members: Members::open(aws)?,
            profiles: Profiles::open(aws)?,
            log: Log::open(aws)?,
            member_profiles: MemberProfiles::open(aws)?,
            defaults: NewRoomConfig::read()?,
            rate_limiter: RateLimiter::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
