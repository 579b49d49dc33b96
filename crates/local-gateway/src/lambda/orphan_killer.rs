//! Kills the function processes if the gateway itself is killed and cannot do it.
//!
//! A small shell holds the reading end of a pipe and a list of process ids. However the gateway ends, the kernel closes
//! the pipe, and the shell kills the processes that are still on the list. This needs no `unsafe` code and also works
//! on macOS, where `PR_SET_PDEATHSIG` does not exist.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

/// `+ PID` adds a process, `- PID` removes it; at the end of the input, all remaining processes are killed.
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

/// Kills the watched processes once this process is gone.
#[derive(Debug, Clone)]
pub(super) struct OrphanKiller(Arc<Mutex<Option<std::process::ChildStdin>>>);

impl OrphanKiller {
    /// Starts the shell. Without a shell, functions still end with the gateway if it shuts down in order.
    #[cfg(unix)]
    pub(super) fn start() -> OrphanKiller {
        use std::os::unix::process::CommandExt as _;
        let shell = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own process group: the gateway handles a Ctrl-C in the terminal.
            .process_group(0)
            .spawn();
        let stdin = match shell {
            Ok(mut shell) => {
                let stdin = shell.stdin.take();
                // Reaped in a thread, so that it does not become a zombie.
                std::thread::spawn(move || shell.wait());
                stdin
            }
            Err(problem) => {
                tracing::warn!(%problem, "failed to start a shell; functions may outlive the gateway if it is killed");
                None
            }
        };
        OrphanKiller(Arc::new(Mutex::new(stdin)))
    }

    #[cfg(not(unix))]
    pub(super) fn start() -> OrphanKiller {
        let _ = Stdio::null();
        OrphanKiller(Arc::new(Mutex::new(None)))
    }

    pub(super) fn watch(&self, pid: u32) {
        self.send('+', pid);
    }

    /// Forgets a process that has ended, before its id is reused.
    pub(super) fn forget(&self, pid: u32) {
        self.send('-', pid);
    }

    fn send(&self, change: char, pid: u32) {
        if let Some(stdin) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = stdin.write_all(format!("{change} {pid}\n").as_bytes());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn forgotten_processes_are_not_killed() {
        let sleeper = || std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let mut watched = sleeper();
        let mut forgotten = sleeper();
        let killer = OrphanKiller::start();
        killer.watch(forgotten.id());
        killer.watch(watched.id());
        killer.forget(forgotten.id());
        drop(killer);
        assert!(!watched.wait().unwrap().success());
        assert!(forgotten.try_wait().unwrap().is_none());
        forgotten.kill().unwrap();
        forgotten.wait().unwrap();
    }
}
