//! The Lambda authorizer of `$connect`.

mod authorize;
mod credential;

use protocol::clock::Clock;
use shared::adapters::auth::{Tokens, TrustedProxy};
use shared::adapters::dynamodb::{Nonces, Sessions, Tickets};
use shared::adapters::secrets::Secret;
use shared::aws::Aws;
use shared::config::{Credentials, SecretName, TokenConfig};
use shared::runtime::{Fatal, run, start};

use authorize::Authorizer;
use credential::CredentialCheck;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let authorizer = start(module_path!(), build).await?;
    run(async |event| authorizer.authorize(event).await).await
}

async fn build(aws: &Aws) -> Result<Authorizer, Fatal> {
    let config = TokenConfig::read()?;
    let sessions = Sessions::open(aws)?;
    aws.warm_up(sessions.signed_out_at(&"-".parse()?)).await;
    let checks = match Credentials::read()? {
        Credentials::Tokens => {
            CredentialCheck::Tokens { tokens: Tokens::open(aws, config.issuers).await?, in_query: config.in_query }
        }
        Credentials::Proxy => {
            CredentialCheck::Proxy(TrustedProxy::new(Secret::open(aws, SecretName::Token).await?, Clock::System))
        }
    };
    Ok(Authorizer {
        allowed_origins: config.allowed_origins,
        checks,
        tickets: Tickets::open(aws)?,
        nonces: Nonces::open(aws)?,
        sessions,
        clock: Clock::System,
    })
}
