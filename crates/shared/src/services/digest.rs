//! Keyed digests: of what was sent, and of what was translated. A plain hash of a short medical sentence can be guessed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::adapters::secrets::{Secret, SecretError};
use crate::aws::Aws;
use crate::config::{ConfigError, SecretName};

/// The key of this stack's digests.
#[derive(Debug)]
pub struct DigestKey {
    secret: Secret,
}

impl DigestKey {
    pub async fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { secret: Secret::open(aws, SecretName::Digest).await? })
    }

    /// HMAC-SHA256 over the parts, each with its length before it, so that no two lists of parts read alike.
    pub async fn digest(&self, parts: &[&str]) -> Result<String, SecretError> {
        Ok(digest(&self.secret.value().await?, parts))
    }
}

fn digest(key: &str, parts: &[&str]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn no_two_lists_of_parts_read_alike() {
        assert_eq!(digest("key", &["a", "b"]), digest("key", &["a", "b"]));
        assert_ne!(digest("key", &["a", "b"]), digest("key", &["ab", ""]));
        assert_ne!(digest("key", &["a", "b"]), digest("other", &["a", "b"]));
    }
}
