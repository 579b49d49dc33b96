//! Keyed digests of messages. A plain hash would not do: the text behind the hash of a short medical sentence can be
//! guessed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::adapters::secrets::{Secret, SecretError};
use crate::aws::Aws;
use crate::config::{ConfigError, SecretName};

/// Computes digests with a secret of this stack.
#[derive(Debug)]
pub struct DigestKey {
    secret: Secret,
}

impl DigestKey {
    pub async fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { secret: Secret::open(aws, SecretName::Digest).await? })
    }

    /// HMAC-SHA256 over the parts, each prefixed with its length so that different lists of parts differ in their
    /// digests.
    pub async fn digest(&self, parts: &[&str]) -> Result<String, SecretError> {
        Ok(digest(&self.secret.value().await?, parts))
    }
}

fn digest(key: &str, parts: &[&str]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC accepts keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC accepts keys of any length");
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
    fn digests_depend_on_key_and_part_boundaries() {
        assert_eq!(digest("key", &["a", "b"]), digest("key", &["a", "b"]));
        assert_ne!(digest("key", &["a", "b"]), digest("key", &["ab", ""]));
        assert_ne!(digest("key", &["a", "b"]), digest("other", &["a", "b"]));
    }
}
