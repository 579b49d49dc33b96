//! The keys that verify tokens.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::sync::Mutex;

use super::TokenError;
use super::claims::Claims;
use super::shared_key::signed_with;
use crate::adapters::secrets::Secret;
use protocol::clock::{Clock, Timestamp};

/// The source of an issuer's keys.
#[derive(Debug)]
pub enum Keys {
    /// A shared secret of at least 256 bits.
    Shared(Secret),
    /// Keys that the issuer publishes (Cognito or any OIDC issuer).
    Published(KeySet),
    /// A fixed secret, for tests.
    #[cfg(test)]
    Fixed(&'static str),
}

impl Keys {
    /// The claims of a token that is signed with one of these keys. A shared secret is never used with the algorithm of
    /// a public key, nor the reverse, even if the configuration says so.
    pub(super) async fn verify(&self, token: &str, algorithm: super::Algorithm) -> Result<Claims, TokenError> {
        let published = match algorithm {
            super::Algorithm::HS256 | super::Algorithm::RS256 => Algorithm::RS256,
            super::Algorithm::ES256 => Algorithm::ES256,
            super::Algorithm::EdDSA => Algorithm::EdDSA,
        };
        let refused = |kind: ErrorKind| TokenError::Unauthorized(describe(&kind));
        match self {
            Self::Shared(secret) => {
                let verify = |key: &[u8]| match decode(token, &DecodingKey::from_secret(key), Algorithm::HS256) {
                    Err(ErrorKind::InvalidSignature) => None,
                    result => Some(result.map_err(refused)),
                };
                signed_with(secret, verify).await
            }
            Self::Published(keys) => {
                let header =
                    jsonwebtoken::decode_header(token).map_err(|_| TokenError::Unauthorized("malformed token"))?;
                let id = header.kid.ok_or(TokenError::Unauthorized("`kid` is missing"))?;
                decode(token, &keys.find(&id).await?, published).map_err(refused)
            }
            #[cfg(test)]
            Self::Fixed(secret) => {
                decode(token, &DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256).map_err(refused)
            }
        }
    }
}

/// The claims are only parsed: `IssuerConfig::identity` checks them by the issuer's settings.
fn decode(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, ErrorKind> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(token, key, &validation).map(|data| data.claims).map_err(|error| error.into_kind())
}

/// The kind of error, without any content of the token.
fn describe(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "signature does not match",
        ErrorKind::InvalidAlgorithm => "algorithm is not the issuer's",
        _ => "malformed token",
    }
}

/// An issuer's published keys, fetched at start-up, every five minutes, and when a token names an unknown key, but at
/// most every ten seconds. While the issuer is unreachable, the last good keys stay in use.
#[derive(Debug)]
pub struct KeySet {
    http: reqwest::Client,
    url: String,
    clock: Clock,
    cache: Mutex<CachedKeys>,
}

#[derive(Debug, Default)]
struct CachedKeys {
    keys: Option<Arc<JwkSet>>,
    fetched_at: Option<Timestamp>,
}

impl KeySet {
    const REFRESH_INTERVAL: Duration = Duration::from_secs(5 * 60);
    const RETRY_INTERVAL: Duration = Duration::from_secs(10);
    const TIMEOUT: Duration = Duration::from_secs(3);
    const MAX_BYTES: usize = 256 * 1024;

    /// Fetches the keys at `url`.
    pub async fn open(url: String, clock: Clock) -> Self {
        let key_set = Self::new(url, clock, Self::TIMEOUT);
        key_set.refresh(&mut *key_set.cache.lock().await).await;
        key_set
    }

    /// The keys at `url`, not fetched yet.
    #[expect(clippy::expect_used, reason = "like `reqwest::Client::new`, this fails only without TLS support")]
    fn new(url: String, clock: Clock, timeout: Duration) -> Self {
        // A redirect could lead to a host that is not configured, and away from TLS.
        let http = reqwest::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none()).build();
        Self { http: http.expect("TLS is available"), url, clock, cache: Mutex::default() }
    }

    async fn find(&self, id: &str) -> Result<DecodingKey, TokenError> {
        let mut cache = self.cache.lock().await;
        // An unknown key may be new, and a withdrawn key must not be accepted for long.
        let interval = if cache.find(id).is_none() { Self::RETRY_INTERVAL } else { Self::REFRESH_INTERVAL };
        if cache.fetched_at.is_none_or(|fetched_at| self.clock.now().since(fetched_at) >= interval) {
            self.refresh(&mut cache).await;
        }
        match (cache.find(id), &cache.keys) {
            (Some(key), _) => Ok(key),
            (None, Some(_)) => Err(TokenError::Unauthorized("issuer has no such key")),
            (None, None) => Err(TokenError::Keys("no keys have been fetched yet".into())),
        }
    }

    async fn refresh(&self, cache: &mut CachedKeys) {
        cache.fetched_at = Some(self.clock.now());
        match self.fetch().await {
            Ok(keys) => cache.keys = Some(Arc::new(keys)),
            Err(error) => {
                tracing::warn!(error = %crate::error::chain(&*error), "failed to fetch the issuer's keys");
            }
        }
    }

    async fn fetch(&self) -> Result<JwkSet, Box<dyn std::error::Error + Send + Sync>> {
        let mut answer = self.http.get(&self.url).send().await?.error_for_status()?;
        if answer.status().is_redirection() {
            return Err("the issuer answered with a redirect; configure the final URL".into());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > Self::MAX_BYTES {
                return Err("the key set is larger than 256 KB".into());
            }
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

impl CachedKeys {
    fn find(&self, id: &str) -> Option<DecodingKey> {
        DecodingKey::from_jwk(self.keys.as_ref()?.find(id)?).ok()
    }
}

#[cfg(test)]
mod tests;
