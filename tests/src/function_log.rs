//! The log of the functions of a [`World`](crate::World).

use local_gateway::LogLine;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::DEADLINE;

/// The lines that were not taken yet.
pub(crate) struct FunctionLog(UnboundedReceiver<LogLine>);

impl FunctionLog {
    pub(crate) fn new(lines: UnboundedReceiver<LogLine>) -> Self {
        Self(lines)
    }

    /// Takes all lines, after the functions have ended.
    pub(crate) async fn take_to_the_end(&mut self) -> Vec<LogLine> {
        let mut taken = Vec::new();
        while let Some(line) = timeout(DEADLINE, self.0.recv()).await.expect("the functions have ended") {
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
            while let Ok(LogLine { function, line }) = self.0.try_recv() {
                eprintln!("{function}: {line}");
            }
        }
    }
}
