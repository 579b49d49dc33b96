//! Answers `markRead`.

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
        route::MarkRead {
            membership: doors.membership()?,
            log: doors.log()?,
            audience: doors.audience()?,
            push: doors.push(),
            clock: doors.clock(),
        },
        doors.connections()?,
    )
    .await
}
