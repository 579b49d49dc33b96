//! What the gateway sees of a function's processes: how quickly they come up and answer, and how much memory they hold.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What was seen of one function so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// From the start of each process to its first question for an invocation.
    pub starts: Vec<Duration>,
    /// The first invocation of each process.
    pub first: Vec<Duration>,
    /// All further ones.
    pub later: Vec<Duration>,
    /// The memory of each process that lives, in no order; nothing where the system does not tell.
    pub memory: Vec<Memory>,
}

/// How much memory a process holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub resident: u64,
    /// At most since it started.
    pub peak: u64,
}

/// Takes down what is seen. Clones write into the same book.
#[derive(Debug, Clone, Default)]
pub(super) struct Book(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    figures: Figures,
    living: BTreeSet<u32>,
}

impl Book {
    pub(super) fn lives(&self, pid: u32) {
        self.kept().living.insert(pid);
    }

    pub(super) fn ended(&self, pid: u32) {
        self.kept().living.remove(&pid);
    }

    pub(super) fn started_within(&self, time: Duration) {
        self.kept().figures.starts.push(time);
    }

    pub(super) fn answered_within(&self, time: Duration, first: bool) {
        let figures = &mut self.kept().figures;
        if first { figures.first.push(time) } else { figures.later.push(time) }
    }

    pub(super) fn figures(&self) -> Figures {
        let kept = self.kept();
        Figures { memory: kept.living.iter().filter_map(|pid| memory_of(*pid)).collect(), ..kept.figures.clone() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Linux tells it in a file; see `proc_pid_status(5)`.
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
    fn a_process_that_lives_has_memory_and_one_that_ended_has_none() {
        let book = Book::default();
        book.lives(std::process::id());
        let memory = book.figures().memory;
        assert!(memory[0].resident > 0 && memory[0].peak >= memory[0].resident);
        book.ended(std::process::id());
        assert_eq!(book.figures().memory, []);
    }
}
