//! The log of the functions of a [`World`](crate::World).

use std::sync::{Mutex, PoisonError};

use local_gateway::LogLine;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::DEADLINE;

/// The lines that were not taken yet.
pub(crate) struct FunctionLog(Mutex<UnboundedReceiver<LogLine>>);

impl FunctionLog {
    pub(crate) fn new(lines: UnboundedReceiver<LogLine>) -> Self {
        Self(Mutex::new(lines))
    }

    /// Takes the lines that have arrived.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| lines.try_recv().ok()).collect()
    }

    /// Takes all lines, after the functions have ended.
    pub(crate) async fn take_to_the_end(&mut self) -> Vec<LogLine> {
        let lines = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while let Some(line) = timeout(DEADLINE, lines.recv()).await.expect("the functions have ended") {
            taken.push(line);
        }
        taken
    }
}

/// Whether a line is a value of a metric, as CloudWatch extracts it.
#[must_use]
pub fn is_count_of(line: &LogLine, metric: &str) -> bool {
    line.line.contains(&format!("\"{metric}\":"))
}

/// When a test fails, prints what was not taken.
impl Drop for FunctionLog {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for LogLine { function, line } in self.take() {
                eprintln!("{function}: {line}");
            }
        }
    }
}
