//! Reads the stream of `messages`, beside fan-out: translates what is new.

mod reader;

use shared::doors::Doors;
use shared::ids::RoomId;
use shared::runtime::{Fatal, serve_stream, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.rooms()?.get(&RoomId::NOWHERE)).await;
    serve_stream(reader::AutoTranslate { rooms: doors.rooms()?, translator: doors.translator().await? }).await
}
