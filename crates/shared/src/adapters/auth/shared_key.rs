//! Signatures with the stack's own secret.

use super::TokenError;
use crate::adapters::secrets::Secret;

/// 256 bits, as RFC 7518 requires for HS256.
const MIN_SECRET_BYTES: usize = 32;

/// What `verify` returns for the value of the secret that something is signed with; it returns `None` for any other
/// value. While a secret is being rotated, that can be either of two.
pub(super) async fn signed_with<T>(
    secret: &Secret,
    verify: impl Fn(&[u8]) -> Option<Result<T, TokenError>>,
) -> Result<T, TokenError> {
    let unavailable = |error| TokenError::Keys(Box::new(error));
    let is_long_enough = |value: &str| value.len() >= MIN_SECRET_BYTES;
    let check = |value: &str| is_long_enough(value).then(|| verify(value.as_bytes())).flatten();
    match secret.find(check).await.map_err(unavailable)? {
        Some(verified) => verified,
        None if is_long_enough(&secret.value().await.map_err(unavailable)?) => {
            Err(TokenError::Unauthorized("signature does not match"))
        }
        None => Err(TokenError::Keys("the token secret is shorter than 256 bits; store a longer one".into())),
    }
}
