//! Answers `refreshSession`, `signOutEverywhere` and `createTicket`: how long a person is who they are.

mod request;
mod route;

use shared::config::{Credentials, token_issuers};
use shared::doors::Doors;
use shared::runtime::{Fatal, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let doors = Doors::open().await?;
    let closer = doors.closer()?;
    doors.warm(closer.sessions.recent(&"-".parse()?, doors.clock().now())).await;
    let tokens = match Credentials::read()? {
        Credentials::Tokens => Some(doors.tokens(token_issuers()?).await?),
        Credentials::Proxy => None,
    };
    let route = route::Session { tokens, closer, guards: doors.guards()?, clock: doors.clock() };
    serve(route, doors.connections()?).await
}
