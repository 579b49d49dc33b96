//! The Lambda authorizer of `$connect`.

mod authorize;

use shared::auth::{KeySet, Keys, Tokens};
use shared::config::{SecretName, TokenConfig};
use shared::doors::Doors;
use shared::runtime::{Fatal, run, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    let config = TokenConfig::read()?;
    let keys = match config.jwks_url.clone() {
        Some(url) => Keys::Published(KeySet::open(url).await),
        None => Keys::Shared(Doors::open().await?.secret(SecretName::Token).await?),
    };
    let authorizer = authorize::Authorizer {
        in_query: config.in_query,
        allowed_origins: config.allowed_origins.clone(),
        tokens: Tokens::new(config, keys),
    };
    run(async |event| authorizer.authorize(event).await).await
}
