//! The secret that signs this checkout's development tokens.
//!
//! It is made once and kept beside the environment file, so that a running `cargo lambda watch`, whose functions keep
//! secrets in memory for minutes, still accepts the tokens that the next `cargo dev` prints.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rand::RngExt;
use rand::distr::Alphanumeric;

/// As many characters as the template asks Secrets Manager for.
const LENGTH: usize = 64;

/// Reads the secret from `path`, or makes one there that only this account of the machine can read.
///
/// # Errors
///
/// When the file can be neither read nor made.
pub fn read_or_make(path: &Path) -> io::Result<String> {
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
    fn the_secret_stays_the_same_from_one_run_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dev").join("token-secret");
        let first = read_or_make(&path).unwrap();
        assert_eq!(first.len(), LENGTH);
        assert_eq!(read_or_make(&path).unwrap(), first);
    }
}
