//! Answers `$disconnect`.

mod route;

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, Sessions};
use shared::runtime::{Fatal, serve_lifecycle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve_lifecycle(module_path!(), async |aws| {
        Ok(route::Disconnect {
            connections: Connections::open(aws)?,
            sessions: Sessions::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
