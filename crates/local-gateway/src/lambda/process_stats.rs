//! Statistics about a function's processes: how fast they start and respond, and how much memory they use.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The processes of one function so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessStats {
    /// From the start of each process to its first request for an invocation.
    pub starts: Vec<Duration>,
    /// The duration of the first invocation of each process.
    pub first: Vec<Duration>,
    /// The durations of all later invocations.
    pub later: Vec<Duration>,
    /// The memory of each running process, in no particular order; empty where the system does not tell.
    pub memory: Vec<Memory>,
}

/// The memory of a process in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The current size.
    pub resident: u64,
    /// The largest size since the start.
    pub peak: u64,
}

/// Collects statistics. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct StatsRecorder(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    stats: ProcessStats,
    running: BTreeSet<u32>,
}

impl StatsRecorder {
    pub(super) fn started(&self, pid: u32) {
        self.state().running.insert(pid);
    }

    pub(super) fn ended(&self, pid: u32) {
        self.state().running.remove(&pid);
    }

    pub(super) fn ready_after(&self, time: Duration) {
        self.state().stats.starts.push(time);
    }

    pub(super) fn responded_after(&self, time: Duration, first: bool) {
        let stats = &mut self.state().stats;
        if first { stats.first.push(time) } else { stats.later.push(time) }
    }

    pub(super) fn stats(&self) -> ProcessStats {
        let state = self.state();
        let memory = state.running.iter().filter_map(|pid| memory_of(*pid)).collect();
        ProcessStats { memory, ..state.stats.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Linux only; see `proc_pid_status(5)`.
fn memory_of(pid: u32) -> Option<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    Some(Memory { resident: kilobytes("VmRSS")? * 1024, peak: kilobytes("VmHWM")? * 1024 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_running_processes_have_memory() {
        let recorder = StatsRecorder::default();
        recorder.started(std::process::id());
        let memory = recorder.stats().memory;
        assert!(memory[0].resident > 0 && memory[0].peak >= memory[0].resident);
        recorder.ended(std::process::id());
        assert_eq!(recorder.stats().memory, []);
    }
}
