//! The keys that tokens are checked with.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;

use super::TokenError;
use crate::adapters::secrets::Secret;
use protocol::clock::{Clock, Timestamp};

/// Where the key of a token comes from.
#[derive(Debug)]
pub enum Keys {
    /// A secret of at least 256 bits.
    Shared(Secret),
    /// Keys that the issuer publishes (Cognito, any OIDC issuer).
    Published(KeySet),
    /// A fixed secret, for tests.
    #[cfg(test)]
    Fixed(&'static str),
}

impl Keys {
    /// 256 bits, as RFC 7518 wants for HS256.
    pub(super) const MIN_SECRET_BYTES: usize = 32;

    /// The key that `token` must be signed with, and how. A shared secret is never tried for a public key's algorithm, nor the other way
    /// round, whatever the setting says.
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
                    return Err(TokenError::Keys("the token secret is shorter than 256 bits".into()));
                }
                Ok((DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256))
            }
            Self::Published(keys) => {
                let header =
                    jsonwebtoken::decode_header(token).map_err(|_| TokenError::Unauthorized("it cannot be read"))?;
                let id = header.kid.ok_or(TokenError::Unauthorized("it names no key"))?;
                Ok((keys.find(&id).await?, published))
            }
            #[cfg(test)]
            Self::Fixed(secret) => Ok((DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256)),
        }
    }
}

/// An issuer's published keys: fetched at the start, every five minutes, and when a token names one that is not among them,
/// but at most once in ten seconds. While the issuer is out of reach, the last good ones are kept.
#[derive(Debug)]
pub struct KeySet {
    http: reqwest::Client,
    url: String,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    keys: Option<Arc<JwkSet>>,
    asked: Option<Timestamp>,
}

impl KeySet {
    const KEPT: Duration = Duration::from_secs(5 * 60);
    const REST: Duration = Duration::from_secs(10);
    const TIMEOUT: Duration = Duration::from_secs(3);
    const MAX_BYTES: usize = 256 * 1024;

    /// The keys at `url`, fetched at once.
    pub async fn open(url: String, clock: Clock) -> Self {
        let keys = Self::unopened(url, clock, Self::TIMEOUT);
        keys.refresh(&mut *keys.held.lock().await).await;
        keys
    }

    /// The keys at `url`, for which no fetch may take longer than `limit`.
    #[expect(clippy::expect_used, reason = "as `reqwest::Client::new`: it fails only where there is no TLS at all")]
    fn unopened(url: String, clock: Clock, limit: Duration) -> Self {
        // Who is redirected takes keys from a place that no setting names, and perhaps without TLS.
        let http = reqwest::Client::builder().timeout(limit).redirect(reqwest::redirect::Policy::none()).build();
        Self { http: http.expect("TLS can be had"), url, clock, held: Mutex::default() }
    }

    async fn find(&self, id: &str) -> Result<DecodingKey, TokenError> {
        let mut held = self.held.lock().await;
        // A key that is unknown may be new, and one that was withdrawn must not be taken for long.
        let wanted_after = if held.find(id).is_none() { Self::REST } else { Self::KEPT };
        if held.asked.is_none_or(|asked| self.clock.now().since(asked) >= wanted_after) {
            self.refresh(&mut held).await;
        }
        match (held.find(id), &held.keys) {
            (Some(key), _) => Ok(key),
            (None, Some(_)) => Err(TokenError::Unauthorized("the issuer has no such key")),
            (None, None) => Err(TokenError::Keys("the issuer's key set could not be fetched".into())),
        }
    }

    async fn refresh(&self, held: &mut Held) {
        held.asked = Some(self.clock.now());
        match self.fetch().await {
            Ok(keys) => held.keys = Some(Arc::new(keys)),
            Err(error) => {
                tracing::warn!(error = %crate::error::chain(&*error), "the issuer's keys could not be fetched");
            }
        }
    }

    async fn fetch(&self) -> Result<JwkSet, Box<dyn std::error::Error + Send + Sync>> {
        let mut answer = self.http.get(&self.url).send().await?.error_for_status()?;
        if answer.status().is_redirection() {
            return Err("the issuer answers with a redirect, which is not followed".into());
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

impl Held {
    fn find(&self, id: &str) -> Option<DecodingKey> {
        DecodingKey::from_jwk(self.keys.as_ref()?.find(id)?).ok()
    }
}

#[cfg(test)]
mod tests;
