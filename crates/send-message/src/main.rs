//! Answers `sendMessage`.

mod express;
mod flood_control;
mod route;

use protocol::ids::RoomId;
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.rooms()?.get(&RoomId::NOWHERE)).await;
    let express = express::Express {
        audience: doors.audience()?,
        push: doors.single_attempt_push(),
        records: doors.idempotency_records()?,
        limit: shared::config::express_limit()?,
    };
    serve(
        route::SendMessage {
            membership: doors.membership()?,
            log: doors.log()?,
            records: doors.idempotency_records()?,
            connections: doors.connections()?,
            digest: doors.digest_key().await?,
            express,
            flood_control: flood_control::FloodControl {
                window: shared::config::send_window()?,
                mute: shared::config::mute()?,
            },
            clock: doors.clock(),
        },
        doors.connections()?,
    )
    .await
}
