//! What the functions of a world have logged.

use std::sync::{Mutex, PoisonError};

use local_gateway::LogLine;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::DEADLINE;

/// The lines that nobody has read yet.
pub(crate) struct FunctionLog(Mutex<UnboundedReceiver<LogLine>>);

impl FunctionLog {
    pub(crate) fn new(lines: UnboundedReceiver<LogLine>) -> Self {
        Self(Mutex::new(lines))
    }

    /// The lines up to now.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| lines.try_recv().ok()).collect()
    }

    /// All lines, once the functions have ended.
    pub(crate) async fn take_to_the_end(&mut self) -> Vec<LogLine> {
        let lines = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while let Some(line) = timeout(DEADLINE, lines.recv()).await.expect("nothing writes any more") {
            taken.push(line);
        }
        taken
    }
}

/// When a test fails, what the functions logged is the first thing to read.
impl Drop for FunctionLog {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for LogLine { function, line } in self.take() {
                eprintln!("{function}: {line}");
            }
        }
    }
}
