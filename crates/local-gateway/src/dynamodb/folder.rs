//! The folder of a database's files, and the lock that says that somebody has it open.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::DatabaseError;

/// What the name of a temporary folder begins with.
const PREFIX: &str = "local-gateway-";

/// The lock of a folder that somebody keeps.
const KEPT: &str = "dynamodb.lock";

/// The lock of a temporary folder. It has a name of its own, so that no folder is ever taken for one that may go.
const TEMPORARY: &str = "temporary.lock";

/// The database itself; SQLite puts two more beside it.
const DATABASE: &str = "dynamodb.sqlite";

/// A lock younger than this may belong to a gateway that is just about to take it.
const YOUNG: Duration = Duration::from_secs(60);

/// A folder that nobody else has open.
pub(super) struct Folder {
    path: PathBuf,
    /// Locked as long as the database is open: SQLite would let a second gateway in, and both would read the streams.
    _lock: File,
    pub(super) temporary: Option<TempDir>,
}

impl Folder {
    /// That folder, or a temporary one. What dead gateways left behind goes then.
    pub(super) fn open(kept: Option<PathBuf>) -> Result<Folder, DatabaseError> {
        let (path, temporary, name) = match kept {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(|error| DatabaseError::Folder(path.clone(), error))?;
                (path, None, KEPT)
            }
            None => {
                sweep(&std::env::temp_dir(), YOUNG);
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

    /// The database's file.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// Removes the temporary folders of gateways that were killed: those whose lock nobody holds. Another gateway may do the
/// same at the same time, so that nothing here is an error.
fn sweep(among: &Path, young: Duration) {
    let Ok(entries) = std::fs::read_dir(among) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_if_dead(&entry.path(), young);
        }
    }
}

fn remove_if_dead(folder: &Path, young: Duration) {
    let Ok(lock) = File::open(folder.join(TEMPORARY)) else { return };
    let age = lock.metadata().and_then(|about| about.modified()).ok().and_then(|made| made.elapsed().ok());
    if age.is_none_or(|age| age < young) || lock.try_lock().is_err() {
        return;
    }
    // By name, and the lock last: a folder with anything else in it stays.
    for name in [DATABASE, "dynamodb.sqlite-shm", "dynamodb.sqlite-wal", TEMPORARY] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let _ = std::fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_gateways_folder_goes_and_a_living_ones_a_young_one_and_a_kept_one_stay() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = |name: &str, lock: &str| {
            let folder = temporary.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(DATABASE), "").unwrap();
            let lock = File::create(folder.join(lock)).unwrap();
            (folder, lock)
        };
        let (dead, _) = folder("local-gateway-dead", TEMPORARY);
        let (living, held) = folder("local-gateway-living", TEMPORARY);
        held.try_lock().unwrap();
        let (kept, _) = folder("local-gateway-kept", KEPT);
        sweep(temporary.path(), YOUNG);
        assert!(dead.exists(), "it may be just about to be locked");
        sweep(temporary.path(), Duration::ZERO);
        assert!(!dead.exists() && living.join(DATABASE).exists() && kept.join(DATABASE).exists());
    }
}
