//! The output of functions: on AWS it goes to CloudWatch, here to a sink of the caller's choice.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

/// Where the standard output and standard error of functions go.
#[derive(Debug, Clone, Default)]
pub enum LogSink {
    /// To the standard error of this process; each line starts with the name of its function.
    #[default]
    Inherit,
    /// Nowhere.
    Discard,
    /// Into memory, for tests: see [`Log::lines`] and [`Log::logged`].
    Collect,
    /// Appended to a file; each line starts with the name of its function.
    File(PathBuf),
    /// To a channel, line by line.
    Lines(UnboundedSender<LogLine>),
}

/// One line that a function wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's logical id.
    pub function: String,
    /// The line without its line break.
    pub line: String,
}

/// The output of all functions of one gateway.
#[derive(Debug, Clone)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    to: Destination,
    collected: watch::Sender<Vec<LogLine>>,
}

#[derive(Debug)]
enum Destination {
    Inherit,
    Discard,
    Collect,
    File(Mutex<File>),
    Lines(UnboundedSender<LogLine>),
}

impl Log {
    /// Opens the sink; only [`LogSink::File`] can fail.
    pub fn open(sink: &LogSink) -> std::io::Result<Log> {
        let to = match sink {
            LogSink::Inherit => Destination::Inherit,
            LogSink::Discard => Destination::Discard,
            LogSink::Collect => Destination::Collect,
            LogSink::File(path) => Destination::File(Mutex::new(File::options().create(true).append(true).open(path)?)),
            LogSink::Lines(sender) => Destination::Lines(sender.clone()),
        };
        Ok(Log(Arc::new(Inner { to, collected: watch::Sender::new(Vec::new()) })))
    }

    /// The lines so far; empty unless the sink is [`LogSink::Collect`].
    pub fn lines(&self) -> Vec<LogLine> {
        self.0.collected.borrow().clone()
    }

    /// Waits for a matching line, past or future. Returns only if the sink is [`LogSink::Collect`].
    pub async fn logged(&self, matches: impl Fn(&LogLine) -> bool) -> LogLine {
        let mut collected = self.0.collected.subscribe();
        let mut seen = 0;
        loop {
            let found = {
                let lines = collected.borrow_and_update();
                let found = lines[seen..].iter().find(|line| matches(line)).cloned();
                seen = lines.len();
                found
            };
            if let Some(line) = found {
                return line;
            }
            // Cannot fail: the sender lives in `self`.
            let _ = collected.changed().await;
        }
    }

    /// Reads the output of a process until it ends.
    pub(super) async fn read(self, function: String, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match reader.read_until(b'\n', &mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
                    self.write(LogLine { function: function.clone(), line });
                }
            }
        }
    }

    /// Adds a line. If the sink fails, the line is lost: a full disk must not stop the functions.
    pub(super) fn write(&self, line: LogLine) {
        match &self.0.to {
            Destination::Inherit => {
                let _ = writeln!(std::io::stderr(), "{} | {}", line.function, line.line);
            }
            Destination::Discard => {}
            Destination::Collect => self.0.collected.send_modify(|lines| lines.push(line)),
            Destination::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = writeln!(file, "{} | {}", line.function, line.line);
            }
            Destination::Lines(sender) => {
                let _ = sender.send(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_is_split_into_lines() {
        let log = Log::open(&LogSink::Collect).unwrap();
        log.clone().read("F".into(), &b"one\r\ntwo\n\xff"[..]).await;
        let lines: Vec<String> = log.lines().into_iter().map(|line| line.line).collect();
        assert_eq!(lines, ["one", "two", "\u{fffd}"]);
    }

    #[tokio::test]
    async fn future_lines_can_be_awaited() {
        let log = Log::open(&LogSink::Collect).unwrap();
        let writer = log.clone();
        let (line, ()) = tokio::join!(log.logged(|line| line.line == "b"), async move {
            writer.read("F".into(), &b"a\nb\n"[..]).await;
        });
        assert_eq!(line, LogLine { function: "F".into(), line: "b".into() });
    }

    #[tokio::test]
    async fn file_lines_start_with_the_function() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("functions.log");
        let log = Log::open(&LogSink::File(path.clone())).unwrap();
        log.read("ConnectFunction".into(), &b"hello\n"[..]).await;
        assert_eq!(std::fs::read_to_string(path).unwrap(), "ConnectFunction | hello\n");
    }
}
