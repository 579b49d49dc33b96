//! Answers `sync`.

mod route;

use shared::adapters::dynamodb::{Log, Members, Rooms};
use shared::runtime::{Fatal, serve};
use shared::services::rate_limiter::Limited;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        Limited::new(route::Sync { rooms: Rooms::open(aws)?, members: Members::open(aws)?, log: Log::open(aws)? })
    })
    .await
}
