//! Answers `changeRoomStatus` and `setRoomTranslation`.

mod request;
mod route;
mod status;
mod translation;

use protocol::ids::RoomId;
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.rooms()?.get(&RoomId::NOWHERE)).await;
    let route = route::ChangeRoom {
        membership: doors.membership()?,
        log: doors.log()?,
        rate_limiter: doors.rate_limiter()?,
        clock: doors.clock(),
    };
    serve(route, doors.connections()?).await
}
