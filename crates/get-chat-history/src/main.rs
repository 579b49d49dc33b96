//! Answers `getChatHistory`.

mod period;
mod route;

use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await;
    serve(route::GetChatHistory { seats: doors.seats()?, log: doors.log()? }).await
}
