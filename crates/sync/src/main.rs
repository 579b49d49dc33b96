//! Answers `sync`.

mod route;

use protocol::ids::RoomId;
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.rooms()?.get_all(&[RoomId::NOWHERE])).await;
    serve(route::Sync { rooms: doors.rooms()?, members: doors.members()?, log: doors.log()? }, doors.connections()?)
        .await
}
