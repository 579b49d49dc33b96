//! Answers `translateMessage` and `setTranslatedMessage`.

mod correct;
mod request;
mod route;

use protocol::ids::RoomId;
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.rooms()?.get(&RoomId::NOWHERE)).await;
    serve(
        route::Translate {
            membership: doors.membership()?,
            translator: doors.translator().await?,
            rate_limiter: doors.rate_limiter()?,
            clock: doors.clock(),
        },
        doors.connections()?,
    )
    .await
}
