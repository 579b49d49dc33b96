//! Reproducible random numbers: the n-th draw for a seed and purpose is always the same.

use sha2::{Digest as _, Sha256};

/// Three independent numbers from 0 to just below 1.
pub(super) fn uniform(seed: u64, counter: u64, purpose: &str) -> [f64; 3] {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(counter.to_le_bytes());
    hash.update(purpose);
    let digest = hash.finalize();
    [0, 8, 16].map(|at| unit(&digest[at..at + 8]))
}

/// A number from the standard normal distribution, by the Box–Muller transform.
pub(super) fn normal(seed: u64, counter: u64, purpose: &str) -> f64 {
    let [radius, angle, _] = uniform(seed, counter, purpose);
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// A number from 0 to just below 1, from the first 53 bits.
fn unit(bytes: &[u8]) -> f64 {
    let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exactly what an f64 holds")]
    let unit = bits as f64 / (1_u64 << 53) as f64;
    unit
}
