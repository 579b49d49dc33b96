//! Answers `sendMessage`.

mod pace;
mod route;

use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await;
    serve(route::SendMessage {
        seats: doors.seats()?,
        log: doors.log()?,
        sends: doors.sends()?,
        connections: doors.connections()?,
        digest: doors.digest_key().await?,
        pace: pace::Pace { window: shared::config::send_window()? },
        clock: doors.clock(),
    })
    .await
}
