//! Answers `$connect`.

mod route;

use shared::doors::Doors;
use shared::runtime::{Fatal, serve_lifecycle, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    doors.warm(doors.profiles()?.get(&"user:-".parse()?)).await;
    serve_lifecycle(route::Connect {
        connections: doors.connections()?,
        profiles: doors.profiles()?,
        sessions: doors.sessions()?,
        closer: doors.closer()?,
        max_connections: shared::config::max_connections()?,
        guards: doors.guards()?,
        rate: shared::config::connect_rate()?,
        clock: doors.clock(),
    })
    .await
}
