//! Answers `refreshSession`, `signOutEverywhere` and `createTicket`.

mod request;
mod route;

use protocol::clock::Clock;
use shared::adapters::auth::Tokens;
use shared::adapters::dynamodb::{Profiles, Tickets};
use shared::config::{Credentials, token_issuers};
use shared::runtime::{Fatal, serve};
use shared::services::connection_closer::ConnectionCloser;
use shared::services::rate_limiter::Limited;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| {
        let tokens = match Credentials::read()? {
            Credentials::Tokens => Some(Tokens::open(aws, token_issuers()?).await?),
            Credentials::Proxy => None,
        };
        Limited::new(route::Session {
            tokens,
            closer: ConnectionCloser::open(aws)?,
            profiles: Profiles::open(aws)?,
            tickets: Tickets::open(aws)?,
            clock: Clock::System,
        })
    })
    .await
}
