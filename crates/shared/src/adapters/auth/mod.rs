//! Authentication: tokens, tickets and the headers of a trusted proxy. Key and algorithm follow from the configured
//! issuer, never from the token's header.

mod claims;
mod identity;
mod issuer;
mod keys;
mod shared_key;
mod ticket;
pub mod trusted_proxy;

pub use identity::{Identity, TokenError, issued_before};
pub use issuer::{Algorithm, ClaimNames, HospitalRole, InvalidIssuers, IssuerConfig};
pub use keys::{KeySet, Keys};
pub use ticket::Ticket;
pub use trusted_proxy::TrustedProxy;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::adapters::secrets::Secret;
use crate::aws::Aws;
use crate::config::{ConfigError, SecretName};
use claims::Claims;
use futures::future::try_join_all;
use protocol::clock::Clock;

/// One issuer and its keys.
#[derive(Debug)]
pub struct Issuer {
    pub config: IssuerConfig,
    pub keys: Keys,
}

/// Checks tokens.
#[derive(Debug)]
pub struct Tokens {
    issuers: Vec<Issuer>,
    clock: Clock,
}

impl Tokens {
    /// The longest token. API Gateway accepts at most 8 KB of context from an authorizer.
    const MAX_BYTES: usize = 4096;

    pub fn new(issuers: Vec<Issuer>, clock: Clock) -> Self {
        Self { issuers, clock }
    }

    /// Fetches the issuers' keys concurrently, so that an issuer that does not answer delays none of the others.
    pub async fn open(aws: &Aws, issuers: Vec<IssuerConfig>) -> Result<Self, ConfigError> {
        let open = async |config: IssuerConfig| {
            let keys = match config.jwks.clone() {
                Some(url) => Keys::Published(KeySet::open(url, Clock::System).await),
                None => Keys::Shared(Secret::open(aws, SecretName::Token).await?),
            };
            Ok(Issuer { config, keys })
        };
        let issuers = try_join_all(issuers.into_iter().map(open)).await?;
        Ok(Self::new(issuers, Clock::System))
    }

    pub async fn check(&self, token: &str) -> Result<Identity, TokenError> {
        if token.len() > Self::MAX_BYTES {
            return Err(TokenError::Unauthorized("token is longer than 4 KB"));
        }
        let issuer = self.issuer_of(token)?;
        let claims = issuer.keys.verify(token, issuer.config.algorithm()).await?;
        issuer.config.identity(&claims, self.clock.now())
    }

    /// The issuer that the unverified token names. Nothing is trusted before that issuer's key has verified the token.
    fn issuer_of(&self, token: &str) -> Result<&Issuer, TokenError> {
        let malformed = || TokenError::Unauthorized("malformed token");
        let mut parts = token.split('.');
        let (_, Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| malformed())?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| malformed())?;
        let named = claims.text("iss");
        let of = |name: Option<&str>| self.issuers.iter().find(|issuer| issuer.config.issuer.as_deref() == name);
        of(named).or_else(|| of(None)).ok_or(TokenError::Unauthorized("unknown issuer"))
    }
}

#[cfg(test)]
mod tests;
