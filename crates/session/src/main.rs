//! Answers `refreshSession`, `signOutEverywhere` and `createTicket`: how long a person is who they are.

mod request;
mod route;

use shared::config::{Credentials, TokenConfig};
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    let sessions = doors.sessions()?;
    doors.warm(sessions.signed_out_at(&"-".parse()?)).await;
    let tokens = match Credentials::read()? {
        Credentials::Tokens => Some(doors.tokens(TokenConfig::read()?.issuers).await?),
        Credentials::Gateway => None,
    };
    let route = route::Session {
        tokens,
        sessions,
        guards: doors.guards()?,
        connections: doors.connections()?,
        push: doors.push(),
        clock: doors.clock(),
    };
    serve(route, doors.connections()?).await
}
