//! Reads the stream of `messages`: tells everybody whom a change concerns.

mod delivery;
mod frames;
mod reader;
mod upkeep;

use protocol::ids::RoomId;
use shared::doors::Doors;
use shared::runtime::{Fatal, serve_stream, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.rooms()?.get(&RoomId::NOWHERE)).await;
    let delivery = delivery::Delivery {
        push: doors.push(),
        connections: doors.connections()?,
        clock: doors.clock(),
        silent: delivery::Silent::default(),
    };
    let upkeep = upkeep::Upkeep { rooms: doors.rooms()?, members: doors.members()? };
    let express = if shared::config::express_limit()? > 0 { Some(doors.idempotency_records()?) } else { None };
    serve_stream(reader::FanOut { audience: doors.audience()?, delivery, upkeep, express, clock: doors.clock() }).await
}
