//! The Lambda authorizer of `$connect`.

mod authorize;
mod credential;

use credential::Checks;
use shared::adapters::auth::TrustedProxy;
use shared::config::{Credentials, SecretName, TokenConfig};
use shared::doors::Doors;
use shared::runtime::{Fatal, run, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let config = TokenConfig::read()?;
    let doors = Doors::open().await?;
    let sessions = doors.sessions()?;
    doors.warm(sessions.signed_out_at(&"-".parse()?)).await;
    let checks = match Credentials::read()? {
        Credentials::Tokens => {
            Checks::Tokens { tokens: doors.tokens(config.issuers).await?, in_query: config.in_query }
        }
        Credentials::Proxy => Checks::Proxy(TrustedProxy::new(doors.secret(SecretName::Token).await?, doors.clock())),
    };
    let authorizer = authorize::Authorizer {
        allowed_origins: config.allowed_origins,
        checks,
        guards: doors.guards()?,
        sessions,
        clock: doors.clock(),
    };
    run(async |event| authorizer.authorize(event).await).await
}
