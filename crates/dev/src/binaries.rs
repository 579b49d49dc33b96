//! Building the function binaries with `cargo build`, into the folder that the running program itself was built into.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// Why the functions could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The running program does not lie in a cargo target folder.
    #[error(
        "cannot tell where to build the functions: this program does not lie in a cargo target folder ({0}); start it with `cargo dev`"
    )]
    NoTargetFolder(PathBuf),
    /// Cargo itself could not be started.
    #[error("cannot start `{program}` to build the functions: {source}")]
    Cargo {
        /// The program that was tried.
        program: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// Cargo ran and said no; it has printed why.
    #[error("the functions do not build; cargo's own messages stand above")]
    Failed,
}

/// Where cargo put the running program, and so where its siblings belong: `<target>/<profile>`.
#[derive(Debug, Clone)]
pub struct BuildFolder {
    target: PathBuf,
    profile: String,
}

impl BuildFolder {
    /// The folder of the running program, be it a program (`target/debug/dev`) or a test
    /// (`target/debug/deps/stories-…`).
    ///
    /// # Errors
    ///
    /// [`BuildError::NoTargetFolder`] when the program was copied to somewhere else.
    pub fn of_this_program() -> Result<Self, BuildError> {
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

    /// Where the built binaries lie.
    #[must_use]
    pub fn binaries(&self) -> PathBuf {
        self.target.join(&self.profile)
    }

    /// Cargo's name of the profile: the folder of `dev` is called `debug`, all others as their profile.
    fn profile(&self) -> &str {
        if self.profile == "debug" { "dev" } else { &self.profile }
    }
}

/// Builds every binary of the workspace with the cargo that started this program; its progress goes to standard error.
/// Dropping the future ends the build.
///
/// All of them, because cargo unites the features of what it builds together: the functions alone would have all their
/// dependencies compiled once more, in other variants than `cargo test --workspace` has them.
///
/// # Errors
///
/// When cargo cannot be started or the build fails.
pub async fn build(root: &Path, folder: &BuildFolder) -> Result<(), BuildError> {
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
    if status.success() { Ok(()) } else { Err(BuildError::Failed) }
}

/// Cargo tells the programs that it runs where it lies; a program started by hand finds it on the path.
#[allow(clippy::disallowed_methods, reason = "a program of the laptop, not a function: nothing here is a setting")]
fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_dev_profile_lies_in_the_folder_debug() {
        let folder = BuildFolder::of(Path::new("/somewhere/target/debug/dev")).unwrap();
        assert_eq!(folder.binaries(), Path::new("/somewhere/target/debug"));
        assert_eq!(folder.profile(), "dev");
    }

    #[test]
    fn a_test_lies_one_folder_deeper_than_the_programs() {
        let folder = BuildFolder::of(Path::new("/target/release/deps/stories-0a1b")).unwrap();
        assert_eq!(folder.binaries(), Path::new("/target/release"));
        assert_eq!(folder.profile(), "release");
    }
}
