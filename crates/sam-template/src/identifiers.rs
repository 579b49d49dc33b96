//! Identifiers that AWS picks at random; here they are derived from a text, so that they stay the same between runs.

use sha2::{Digest, Sha256};

/// Hexadecimal digits, at most 64.
pub(crate) fn hex_id(text: &str, length: usize) -> String {
    let digits: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..length.min(64)].to_owned()
}

/// Lower-case letters and digits, at most 32.
pub(crate) fn alphanumeric_id(text: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    Sha256::digest(text.as_bytes())
        .iter()
        .take(length)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

/// A route key's part of the logical ids that SAM generates. SAM uses Python's `capitalize()`: the first letter becomes
/// upper case and all others lower case, so `sendMessage` gives `Sendmessage`.
pub(crate) fn capitalized(route_key: &str) -> String {
    let key = route_key.trim_start_matches('$').to_lowercase();
    let mut letters = key.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
