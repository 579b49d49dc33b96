//! The folder of a database's files, and the lock that shows that a gateway has it open.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::error::DatabaseError;

/// The prefix of temporary folders.
const PREFIX: &str = "local-gateway-";

/// The lock of a permanent folder.
const PERMANENT: &str = "dynamodb.lock";

/// The lock of a temporary folder. It has another name, so that a permanent folder is never removed.
const TEMPORARY: &str = "temporary.lock";

/// The database; SQLite adds two more files.
const DATABASE: &str = "dynamodb.sqlite";

/// A lock younger than this may belong to a gateway that is about to take it.
const MIN_AGE: Duration = Duration::from_secs(60);

/// A folder that no other gateway has open.
pub(super) struct Folder {
    path: PathBuf,
    /// Held while the database is open: SQLite would let a second gateway in, and both would read the streams.
    _lock: File,
    pub(super) temporary: Option<TempDir>,
}

impl Folder {
    /// Opens a permanent folder, or creates a temporary one after removing those of dead gateways.
    pub(super) fn open(permanent: Option<PathBuf>) -> Result<Folder, DatabaseError> {
        let (path, temporary, name) = match permanent {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(|error| DatabaseError::Folder(path.clone(), error))?;
                (path, None, PERMANENT)
            }
            None => {
                sweep(&std::env::temp_dir(), MIN_AGE);
                let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir();
                let temporary = temporary.map_err(|error| DatabaseError::Folder(std::env::temp_dir(), error))?;
                (temporary.path().to_path_buf(), Some(temporary), TEMPORARY)
            }
        };
        let lock = File::create(path.join(name)).map_err(|error| DatabaseError::Folder(path.clone(), error))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(DatabaseError::InUse(path));
        }
        Ok(Folder { path, _lock: lock, temporary })
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// Removes the temporary folders of gateways that were killed: those whose lock is not held. Another gateway may do the
/// same concurrently, so all failures are ignored.
fn sweep(parent: &Path, min_age: Duration) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_if_dead(&entry.path(), min_age);
        }
    }
}

fn remove_if_dead(folder: &Path, min_age: Duration) {
    let Ok(lock) = File::open(folder.join(TEMPORARY)) else { return };
    let age = lock.metadata().and_then(|about| about.modified()).ok().and_then(|made| made.elapsed().ok());
    if age.is_none_or(|age| age < min_age) || lock.try_lock().is_err() {
        return;
    }
    // By name, and the lock last: a folder with any other file stays.
    for name in [DATABASE, "dynamodb.sqlite-shm", "dynamodb.sqlite-wal", TEMPORARY] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let _ = std::fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_dead_gateways_are_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = |name: &str, lock: &str| {
            let folder = temporary.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(DATABASE), "").unwrap();
            let lock = File::create(folder.join(lock)).unwrap();
            (folder, lock)
        };
        let (dead, _) = folder("local-gateway-dead", TEMPORARY);
        let (running, held) = folder("local-gateway-running", TEMPORARY);
        held.try_lock().unwrap();
        let (permanent, _) = folder("local-gateway-permanent", PERMANENT);
        sweep(temporary.path(), MIN_AGE);
        assert!(dead.exists(), "its gateway may be about to lock it");
        sweep(temporary.path(), Duration::ZERO);
        assert!(!dead.exists() && running.join(DATABASE).exists() && permanent.join(DATABASE).exists());
    }
}
