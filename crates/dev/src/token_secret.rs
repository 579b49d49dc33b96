//! The secret that signs this checkout's development tokens.
//!
//! It is created once and kept next to the environment file. The functions of a running `cargo lambda watch` cache
//! secrets for minutes; with a secret that stays the same they accept the tokens that the next `cargo dev` prints.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rand::RngExt;
use rand::distr::Alphanumeric;

/// The length that the template asks Secrets Manager for.
const LENGTH: usize = 64;

/// Reads the secret from `path`, or creates one there that only the current user can read.
///
/// # Errors
///
/// When the file can be neither read nor created.
pub fn read_or_create(path: &Path) -> io::Result<String> {
    if let Ok(kept) = fs::read_to_string(path)
        && kept.trim().len() >= LENGTH
    {
        return Ok(kept.trim().to_owned());
    }
    let secret: String = rand::rng().sample_iter(Alphanumeric).take(LENGTH).map(char::from).collect();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(secret.as_bytes())?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_survives_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dev").join("token-secret");
        let first = read_or_create(&path).unwrap();
        assert_eq!(first.len(), LENGTH);
        assert_eq!(read_or_create(&path).unwrap(), first);
    }
}
