//! Answers `$disconnect`.

mod route;

use shared::doors::Doors;
use shared::runtime::{Fatal, serve_lifecycle, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    let (connections, sessions, clock) = (doors.connections()?, doors.sessions()?, doors.clock());
    serve_lifecycle(route::Disconnect { connections, sessions, clock }).await
}
