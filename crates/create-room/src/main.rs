//! Answers `createRoom`.

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
        route::CreateRoom {
            rooms: doors.rooms()?,
            members: doors.members()?,
            profiles: doors.profiles()?,
            log: doors.log()?,
            hospital_language: shared::config::hospital_language()?,
            consult_translation: shared::config::consult_translation()?,
            rate_limiter: doors.rate_limiter()?,
            clock: doors.clock(),
        },
        doors.connections()?,
    )
    .await
}
