//! Reads the stream of `messages`, beside fan-out: translates what is new.

mod reader;

use protocol::ids::{RoomId, Seq};
use shared::doors::Doors;
use shared::runtime::{Fatal, serve_stream, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.log()?.entry(&RoomId::NOWHERE, Seq::FIRST)).await;
    let translator = doors.translator().await?;
    let budget = shared::config::translation_budget()?;
    let allowance = doors.allowance()?;
    serve_stream(reader::AutoTranslate { rooms: doors.rooms()?, translator, budget, allowance }).await
}
