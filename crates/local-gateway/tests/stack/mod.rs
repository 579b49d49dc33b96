//! What the tests of real processes share: templates, the echo binary, and what becomes of a process.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sam_template::{StackContext, Template};

pub mod socket;

/// A template of that text, as stack `test`.
pub fn template(source: &str) -> Template {
    Template::parse(source, StackContext::local("test"), &BTreeMap::new()).unwrap()
}

/// The folder of the echo binary, which `cargo test` builds as an example.
pub fn binaries() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    folder.push("examples");
    let echo = folder.join(format!("echo{}", std::env::consts::EXE_SUFFIX));
    assert!(echo.is_file(), "{} is not there: `cargo build -p local-gateway --example echo` makes it", echo.display());
    folder
}

/// What the runtime needs of Lambda's variables, and those given.
pub fn lambda_environment(more: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut variables = more;
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "test-F"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ] {
        variables.insert(name.into(), value.into());
    }
    variables
}

/// Kills a process from outside, as nothing in the gateway would.
pub fn kill(pid: u64) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// Whether a process runs; one that has ended and was not yet waited for does not.
pub fn runs(pid: u64) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(listed.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits until a process has ended, which nobody but its parent is told of.
pub async fn ended(pid: u64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while runs(pid) {
        assert!(tokio::time::Instant::now() < deadline, "process {pid} still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for a process id that a function writes into a file.
pub async fn pid_in(file: &Path) -> u64 {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(pid) = std::fs::read_to_string(file).ok().and_then(|text| text.parse().ok()) {
            return pid;
        }
        assert!(tokio::time::Instant::now() < deadline, "no process id in {}", file.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
