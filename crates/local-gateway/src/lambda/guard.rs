//! Ends the function processes when the gateway itself is killed and can no longer do it.
//!
//! A small shell holds the reading end of a pipe and a list of process ids. When the gateway ends, however it ends, the
//! kernel closes the pipe, and the shell kills what is still on the list. This needs no `unsafe` code and works alike on
//! Linux and macOS, where `PR_SET_PDEATHSIG` does not exist.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

/// `+ PID` adds a process, `- PID` removes it; the end of the input kills those that are left.
#[cfg(unix)]
const SCRIPT: &str = r#"
trap '' HUP INT TERM
pids=
while read -r change pid; do
  if [ "$change" = + ]; then pids="$pids $pid"; continue; fi
  kept=
  for each in $pids; do [ "$each" = "$pid" ] || kept="$kept $each"; done
  pids=$kept
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
"#;

/// Kills the processes that it was told of and that were not taken back, once this process is gone.
#[derive(Debug, Clone)]
pub(super) struct Guard(Arc<Mutex<Option<std::process::ChildStdin>>>);

impl Guard {
    /// Starts the shell. Where there is none, functions still end with the gateway as long as it ends in order.
    #[cfg(unix)]
    pub(super) fn start() -> Guard {
        use std::os::unix::process::CommandExt as _;
        let shell = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own group: a Ctrl-C in the terminal is the gateway's to handle.
            .process_group(0)
            .spawn();
        let stdin = match shell {
            Ok(mut shell) => {
                let stdin = shell.stdin.take();
                // Somebody has to wait for it, or it stays behind as a zombie of this process.
                std::thread::spawn(move || shell.wait());
                stdin
            }
            Err(problem) => {
                tracing::warn!(%problem, "no shell: functions may outlive a gateway that is killed");
                None
            }
        };
        Guard(Arc::new(Mutex::new(stdin)))
    }

    #[cfg(not(unix))]
    pub(super) fn start() -> Guard {
        let _ = Stdio::null();
        Guard(Arc::new(Mutex::new(None)))
    }

    /// Adds a process.
    pub(super) fn watch(&self, pid: u32) {
        self.tell('+', pid);
    }

    /// Takes a process back that has ended, before its id is given to another one.
    pub(super) fn forget(&self, pid: u32) {
        self.tell('-', pid);
    }

    fn tell(&self, change: char, pid: u32) {
        if let Some(stdin) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = stdin.write_all(format!("{change} {pid}\n").as_bytes());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_on_the_list_is_killed_at_the_end_and_what_was_taken_back_is_not() {
        let sleeper = || std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let (mut left, mut kept) = (sleeper(), sleeper());
        let guard = Guard::start();
        guard.watch(kept.id());
        guard.watch(left.id());
        guard.forget(kept.id());
        drop(guard);
        assert!(!left.wait().unwrap().success());
        assert!(kept.try_wait().unwrap().is_none());
        kept.kill().unwrap();
        kept.wait().unwrap();
    }
}
