//! Who is calling, where a trusted proxy has found that out: headers that it signs with a key that only it and we have.

use std::time::Duration;

use aws_lambda_events::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use sha2::Sha256;

use super::claims::Claims;
use super::{Identity, IssuerConfig, TokenError};
use crate::adapters::secrets::Secret;
use protocol::clock::{Clock, Timestamp};

/// Checks what a trusted proxy says.
#[derive(Debug)]
pub struct TrustedProxy {
    secret: Secret,
    clock: Clock,
}

/// What was signed, good for one use.
#[derive(Debug)]
pub struct Vouched {
    /// Who is calling.
    pub identity: Identity,
    /// What was used: the signature.
    pub signature: String,
    /// Until when it could be used again.
    pub until: Timestamp,
}

/// The signed headers in the order in which they are signed, and the claims that they are. An absent one is signed as empty.
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
/// How far the proxy's clock may be from ours, and how long a signature is good for.
const WINDOW: Duration = Duration::from_secs(60);

/// What is signed: a line that says what it is, then each header's value as it is sent, one a line.
pub fn signed_text<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    values.into_iter().fold("damso-gateway-1".to_owned(), |text, value| text + "\n" + value)
}

impl TrustedProxy {
    /// With the key that both have.
    pub fn new(secret: Secret, clock: Clock) -> Self {
        Self { secret, clock }
    }

    /// Who the proxy says is calling. Whether that was said before is for the caller to find out.
    pub async fn check(&self, headers: &HeaderMap) -> Result<Vouched, TokenError> {
        let key = self.secret.value().await.map_err(|error| TokenError::Keys(Box::new(error)))?;
        if key.len() < super::Keys::MIN_SECRET_BYTES {
            return Err(TokenError::Keys("the token secret is shorter than 256 bits".into()));
        }
        vouched(key.as_bytes(), headers, self.clock.now())
    }
}

fn vouched(key: &[u8], headers: &HeaderMap, now: Timestamp) -> Result<Vouched, TokenError> {
    let refuse = |why| Err(TokenError::Unauthorized(why));
    let mut values = Vec::new();
    for (header, _) in SIGNED {
        values.push(once(headers, header)?.unwrap_or_default());
    }
    let Some(signature) = once(headers, SIGNATURE)? else { return refuse("no trusted proxy signed it") };
    let expected = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(signed_text(values.iter().copied()).as_bytes());
    if mac.verify_slice(&expected).is_err() {
        return refuse("its signature does not match");
    }
    let mut claims = Map::new();
    for ((_, claim), value) in SIGNED.into_iter().zip(values).filter(|(_, value)| !value.is_empty()) {
        let value = match claim {
            "exp" | "iat" => {
                value.parse().map(Value::Number).map_err(|_| TokenError::Unauthorized("a time is none"))?
            }
            // Headers are ASCII; names in other scripts come percent-encoded.
            _ => {
                let text = percent_decode_str(value).decode_utf8();
                Value::String(text.map_err(|_| TokenError::Unauthorized("a header is not UTF-8"))?.into_owned())
            }
        };
        claims.insert(claim.to_owned(), value);
    }
    let claims = Claims::of(claims);
    if claims.text("jti").is_none() {
        return refuse("it has no nonce");
    }
    let identity = IssuerConfig::default().identity(&claims, now)?;
    let Some(signed_at) = identity.issued_at else { return refuse("it has no timestamp") };
    if signed_at.since(now) > WINDOW || now.since(signed_at) > WINDOW {
        return refuse("it was signed too long ago, or the clocks differ");
    }
    Ok(Vouched { identity, signature: URL_SAFE_NO_PAD.encode(expected), until: signed_at + WINDOW })
}

/// A header that is there at most once: of two, each reader could believe another one.
fn once<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, TokenError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| TokenError::Unauthorized("a header is not ASCII")),
        (Some(_), Some(_)) => Err(TokenError::Unauthorized("a header stands there twice")),
    }
}
