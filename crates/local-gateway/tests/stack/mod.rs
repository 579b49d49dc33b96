//! Shared by the tests with real processes: templates, the echo binary, and the state of a process.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sam_template::{StackContext, Template};

pub mod socket;

/// Only bounds how long a failing test hangs: a busy machine must not fail one.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Parses a template as stack `test`.
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
    assert!(echo.is_file(), "{} not found; run `cargo build -p local-gateway --example echo`", echo.display());
    folder
}

/// The given variables, and those of Lambda's that the runtime needs.
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

/// Kills a process from outside the gateway.
pub fn kill(pid: u64) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// Whether a process is running; a zombie is not.
pub fn runs(pid: u64) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(listed.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits until a process has ended. Polls, because only its parent is notified.
pub async fn ended(pid: u64) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while runs(pid) {
        assert!(tokio::time::Instant::now() < deadline, "process {pid} is still running");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for a process id that a function writes into a file.
pub async fn pid_in(file: &Path) -> u64 {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        if let Some(pid) = std::fs::read_to_string(file).ok().and_then(|text| text.parse().ok()) {
            return pid;
        }
        assert!(tokio::time::Instant::now() < deadline, "no process id in {}", file.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
