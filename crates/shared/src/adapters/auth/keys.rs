//! The keys that verify tokens.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;

use super::TokenError;
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
    /// 256 bits, as RFC 7518 requires for HS256.
    pub(super) const MIN_SECRET_BYTES: usize = 32;

    /// The key and algorithm that `token` must be signed with. A shared secret is never used with the algorithm of a
    /// public key, nor the reverse, even if the configuration says so.
    pub(super) async fn key_for(
        &self,
        token: &str,
        algorithm: super::Algorithm,
    ) -> Result<(DecodingKey, Algorithm), TokenError> {
        let published = match algorithm {
            super::Algorithm::HS256 | super::Algorithm::RS256 => Algorithm::RS256,
            super::Algorithm::ES256 => Algorithm::ES256,
            super::Algorithm::EdDSA => Algorithm::EdDSA,
        };
        match self {
            Self::Shared(secret) => {
                let secret = secret.value().await.map_err(|error| TokenError::Keys(Box::new(error)))?;
                if secret.len() < Self::MIN_SECRET_BYTES {
                    return Err(TokenError::Keys(
                        "the token secret is shorter than 256 bits; store a longer one".into(),
                    ));
                }
                Ok((DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256))
            }
            Self::Published(keys) => {
                let header =
                    jsonwebtoken::decode_header(token).map_err(|_| TokenError::Unauthorized("malformed token"))?;
                let id = header.kid.ok_or(TokenError::Unauthorized("`kid` is missing"))?;
                Ok((keys.find(&id).await?, published))
            }
            #[cfg(test)]
            Self::Fixed(secret) => Ok((DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256)),
        }
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
