//! Answers `joinGroup` and `setLanguage`.

mod request;
mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, Log, Members, Profiles, Rooms};
use shared::runtime::{Fatal, serve};
use shared::services::member_profile::MemberProfiles;
use shared::services::rate_limiter::{Limited, RateLimiter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::JoinGroup {
            rooms: Rooms::open(aws)?,
            members: Members::open(aws)?,
            member_profiles: MemberProfiles::open(aws)?,
            profiles: Profiles::open(aws)?,
            connections: Connections::open(aws)?,
            log: Log::open(aws)?,
            rate_limiter: RateLimiter::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
