//! Building the function binaries with `cargo build`, into the target folder of the running program.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(
        "cannot tell where to build the functions: {0} is not in a cargo target folder; \
         start the program with cargo, or pass --binaries"
    )]
    NoTargetFolder(PathBuf),
    #[error("failed to start `{program}` to build the functions: {source}")]
    Cargo { program: PathBuf, source: std::io::Error },
    /// Cargo has printed why.
    #[error("failed to build the functions; cargo's messages are above")]
    Failed,
}

/// The folder that cargo built the running program into: `<target>/<profile>`.
#[derive(Debug, Clone)]
struct BuildFolder {
    target: PathBuf,
    profile: String,
}

impl BuildFolder {
    /// The folder of the running program, which is either a binary (`target/debug/dev`) or a test
    /// (`target/debug/deps/e2e-…`).
    fn of_this_program() -> Result<Self, BuildError> {
        let program = std::env::current_exe().unwrap_or_default();
        Self::of(&program).ok_or(BuildError::NoTargetFolder(program))
    }

    fn of(program: &Path) -> Option<Self> {
        let mut folder = program.parent()?;
        if folder.ends_with("deps") {
            folder = folder.parent()?;
        }
        Some(Self { target: folder.parent()?.to_path_buf(), profile: folder.file_name()?.to_str()?.to_owned() })
    }

    fn binaries(&self) -> PathBuf {
        self.target.join(&self.profile)
    }

    /// Cargo's name of the profile. The folder of the profile `dev` is called `debug`; all others have their profile's
    /// name.
    fn profile(&self) -> &str {
        if self.profile == "debug" { "dev" } else { &self.profile }
    }
}

/// Builds every binary of the workspace with the cargo that started this program, and returns the folder with the
/// binaries. Cargo's progress goes to standard error. Dropping the future stops the build.
///
/// All binaries are built because cargo unifies the features of what it builds together: building only the functions
/// would compile their dependencies a second time, in other variants than those of `cargo test --workspace`.
///
/// # Errors
///
/// When cargo cannot be started or the build fails.
pub async fn build(root: &Path) -> Result<PathBuf, BuildError> {
    let folder = BuildFolder::of_this_program()?;
    let program = cargo();
    let status = Command::new(&program)
        .args(["build", "--workspace", "--bins"])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder.target)
        .args(["--profile", folder.profile()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|source| BuildError::Cargo { program, source })?;
    if status.success() { Ok(folder.binaries()) } else { Err(BuildError::Failed) }
}

/// Returns `given`, or builds the binaries of the template's workspace with a line on standard error that says so.
///
/// # Errors
///
/// See [`build`].
pub async fn given_or_built(given: Option<&Path>, template: &Path) -> Result<PathBuf, BuildError> {
    match given {
        Some(folder) => Ok(folder.to_owned()),
        None => {
            anstream::eprintln!("Building the functions (the first build takes a few minutes) …");
            build(template.parent().unwrap_or(Path::new("."))).await
        }
    }
}

/// Cargo sets `CARGO` for the programs that it runs; for others, cargo is looked up on the path.
#[allow(clippy::disallowed_methods, reason = "this program runs on a laptop only, and `CARGO` is not a setting")]
fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_of_dev_profile() {
        let folder = BuildFolder::of(Path::new("/somewhere/target/debug/dev")).unwrap();
        assert_eq!(folder.binaries(), Path::new("/somewhere/target/debug"));
        assert_eq!(folder.profile(), "dev");
    }

    #[test]
    fn test_of_release_profile() {
        let folder = BuildFolder::of(Path::new("/target/release/deps/e2e-0a1b")).unwrap();
        assert_eq!(folder.binaries(), Path::new("/target/release"));
        assert_eq!(folder.profile(), "release");
    }
}
