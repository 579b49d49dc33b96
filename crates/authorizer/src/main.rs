//! The Lambda authorizer of `$connect`.

mod authorize;

use shared::auth::{Issuer, KeySet, Keys, Tokens};
use shared::config::{SecretName, TokenConfig};
use shared::doors::Doors;
use shared::runtime::{Fatal, run, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let config = TokenConfig::read()?;
    let doors = Doors::open().await?;
    let mut issuers = Vec::new();
    for config in config.issuers.clone() {
        let keys = match config.jwks.clone() {
            Some(url) => Keys::Published(KeySet::open(url).await),
            None => Keys::Shared(doors.secret(SecretName::Token).await?),
        };
        issuers.push(Issuer { config, keys });
    }
    let authorizer = authorize::Authorizer {
        in_query: config.in_query,
        allowed_origins: config.allowed_origins,
        tokens: Tokens::new(issuers, doors.clock()),
    };
    run(async |event| authorizer.authorize(event).await).await
}
