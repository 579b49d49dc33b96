//! Callers that a trusted proxy has authenticated: it sends the identity in headers and signs them with a shared key.

use std::time::Duration;

use aws_lambda_events::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use sha2::Sha256;

use super::claims::Claims;
use super::shared_key::signed_with;
use super::{Identity, IssuerConfig, TokenError};
use crate::adapters::secrets::Secret;
use protocol::clock::{Clock, Timestamp};

/// Verifies the headers of a trusted proxy.
#[derive(Debug)]
pub struct TrustedProxy {
    secret: Secret,
    clock: Clock,
}

/// A verified identity, good for a single connection.
#[derive(Debug)]
pub struct ProxyIdentity {
    pub identity: Identity,
    /// The signature, which serves as the nonce.
    pub signature: String,
    /// When the signature stops being valid.
    pub until: Timestamp,
}

/// The signed headers in signing order, with the claims that they correspond to. An absent header is signed as empty.
pub const SIGNED: [(&str, &str); 8] = [
    ("x-damso-user", "sub"),
    ("x-damso-user-type", "user_type"),
    ("x-damso-hospital", "hospital_id"),
    ("x-damso-name", "name"),
    ("x-damso-language", "language"),
    ("x-damso-until", "exp"),
    ("x-damso-timestamp", "iat"),
    ("x-damso-nonce", "jti"),
];
/// HMAC-SHA256 over [`signed_text`], in base64url without padding.
pub const SIGNATURE: &str = "x-damso-signature";
/// How far the proxy's clock may differ from ours, and how long a signature is valid.
const WINDOW: Duration = Duration::from_secs(60);

/// The signed text: a line with the scheme's name, then each header's value as sent, one per line.
pub fn signed_text<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    values.into_iter().fold("damso-gateway-1".to_owned(), |text, value| text + "\n" + value)
}

impl TrustedProxy {
    pub fn new(secret: Secret, clock: Clock) -> Self {
        Self { secret, clock }
    }

    /// Verifies the headers and returns the caller. Rejecting replayed signatures is up to the caller of this function.
    pub async fn check(&self, headers: &HeaderMap) -> Result<ProxyIdentity, TokenError> {
        let refuse = |problem| Err(TokenError::Unauthorized(problem));
        let mut values = Vec::new();
        for (header, _) in SIGNED {
            values.push(unique(headers, header)?.unwrap_or_default());
        }
        let Some(signature) = unique(headers, SIGNATURE)? else { return refuse("proxy signature is missing") };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let text = signed_text(values.iter().copied());
        let verify = |key: &[u8]| {
            #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
            mac.update(text.as_bytes());
            mac.verify_slice(&signature).is_ok().then_some(Ok(()))
        };
        signed_with(&self.secret, verify).await?;
        identify(&values, &signature, self.clock.now())
    }
}

/// The caller that verified headers name.
fn identify(values: &[&str], signature: &[u8], now: Timestamp) -> Result<ProxyIdentity, TokenError> {
    let refuse = |problem| Err(TokenError::Unauthorized(problem));
    let mut claims = Map::new();
    for ((_, claim), value) in SIGNED.into_iter().zip(values.iter().copied()).filter(|(_, value)| !value.is_empty()) {
        let value = match claim {
            "exp" | "iat" => value
                .parse()
                .map(Value::Number)
                .map_err(|_| TokenError::Unauthorized("a timestamp header is not a number"))?,
            // Headers are ASCII; other characters are percent-encoded.
            _ => {
                let text = percent_decode_str(value).decode_utf8();
                Value::String(text.map_err(|_| TokenError::Unauthorized("a header is not UTF-8"))?.into_owned())
            }
        };
        claims.insert(claim.to_owned(), value);
    }
    let claims = Claims::new(claims);
    if claims.text("jti").is_none() {
        return refuse("nonce is missing");
    }
    let identity = IssuerConfig::default().identity(&claims, now)?;
    let Some(signed_at) = identity.issued_at else { return refuse("timestamp is missing") };
    if signed_at.since(now) > WINDOW || now.since(signed_at) > WINDOW {
        return refuse("signed too long ago, or clocks differ");
    }
    Ok(ProxyIdentity { identity, signature: URL_SAFE_NO_PAD.encode(signature), until: signed_at + WINDOW })
}

/// A header that occurs at most once. Of duplicates, each reader might trust a different one.
fn unique<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, TokenError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| TokenError::Unauthorized("a header is not ASCII")),
        (Some(_), Some(_)) => Err(TokenError::Unauthorized("duplicate header")),
    }
}
