//! Who a token says is calling. The configured issuer chooses key and algorithm, never the token's header.

mod claims;
mod issuer;
mod keys;
mod ticket;
pub mod trusted_proxy;

pub use issuer::{Algorithm, ClaimNames, HospitalRole, InvalidIssuers, IssuerConfig};
pub use keys::{KeySet, Keys};
pub use ticket::Ticket;
pub use trusted_proxy::TrustedProxy;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::adapters::secrets::Secret;
use crate::aws::Aws;
use crate::config::{ConfigError, SecretName};
use claims::Claims;
use futures::future::try_join_all;
use protocol::clock::{Clock, Timestamp};
use protocol::ids::{Participant, UserId};
use protocol::language::Language;

/// What a valid token says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The person.
    pub user_id: UserId,
    /// Whom they speak as.
    pub participant: Participant,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// When the token was issued, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// When the token ends.
    pub session_until: Timestamp,
}

/// Whether what proves who somebody is was issued before they signed out everywhere, or may have been: what does not say when is old.
pub fn issued_before(issued_at: Option<Timestamp>, signed_out_at: Option<Timestamp>) -> bool {
    // Tokens count in seconds: one of the same second may be older.
    signed_out_at.is_some_and(|at| issued_at.is_none_or(|issued| issued.seconds() <= at.seconds()))
}

/// Names of people are never printed.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} as {})", self.user_id, self.participant)
    }
}

/// Why a token is not taken. The texts never hold what the token said.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It proves nothing: answered with 401.
    #[error("the token is not valid: {0}")]
    Unauthorized(&'static str),
    /// It is valid, but not for this: answered with 403.
    #[error("the token is valid, but {0}")]
    Forbidden(&'static str),
    /// The keys could not be had: answered with 500.
    #[error("the keys of the issuer could not be had")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One issuer and its keys.
#[derive(Debug)]
pub struct Issuer {
    /// What is taken of it.
    pub config: IssuerConfig,
    /// What it signs with.
    pub keys: Keys,
}

/// Checks tokens.
#[derive(Debug)]
pub struct Tokens {
    issuers: Vec<Issuer>,
    clock: Clock,
}

impl Tokens {
    /// API Gateway takes at most 8 KB from an authorizer; a token that names nobody in 4 KB is none of ours.
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

    /// Who the token says is calling.
    pub async fn check(&self, token: &str) -> Result<Identity, TokenError> {
        if token.len() > Self::MAX_BYTES {
            return Err(TokenError::Unauthorized("it is longer than 4 KB"));
        }
        let issuer = self.issuer_of(token)?;
        let (key, algorithm) = issuer.keys.key_for(token, issuer.config.algorithm()).await?;
        let mut validation = jsonwebtoken::Validation::new(algorithm);
        // The claims are judged by their issuer's settings, once it is known that they are its own.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|error| TokenError::Unauthorized(describe(error.kind())))?
            .claims;
        issuer.config.identity(&claims, self.clock.now())
    }

    /// Whose token it claims to be: nothing of it is believed before that issuer's key has proved it.
    fn issuer_of(&self, token: &str) -> Result<&Issuer, TokenError> {
        let unreadable = || TokenError::Unauthorized("it cannot be read");
        let mut parts = token.split('.');
        let (_, Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(unreadable());
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| unreadable())?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| unreadable())?;
        let named = claims.text("iss");
        let of = |name: Option<&str>| self.issuers.iter().find(|issuer| issuer.config.issuer.as_deref() == name);
        of(named).or_else(|| of(None)).ok_or(TokenError::Unauthorized("it is of another issuer"))
    }
}

/// The kind of mistake, without anything of the token.
fn describe(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "its signature does not match",
        ErrorKind::InvalidAlgorithm => "its algorithm is not the issuer's",
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests;
