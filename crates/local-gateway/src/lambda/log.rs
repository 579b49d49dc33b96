//! Where the lines go that functions write: on AWS to CloudWatch, here to a sink of the caller's choice.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

/// Where the lines go that functions write to their standard output and standard error.
#[derive(Debug, Clone, Default)]
pub enum LogSink {
    /// To the standard error of this process, each with the name of its function in front.
    #[default]
    Inherit,
    /// Nowhere.
    Discard,
    /// Into memory, for tests: see [`Log::lines`] and [`Log::logged`].
    Collect,
    /// At the end of that file, each with the name of its function in front.
    File(PathBuf),
    /// One by one to that channel.
    Lines(UnboundedSender<LogLine>),
}

/// One line that a function wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's logical id.
    pub function: String,
    /// The line, without its end.
    pub line: String,
}

/// What all functions of one gateway wrote.
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

    /// The lines so far, with [`LogSink::Collect`]; else none.
    pub fn lines(&self) -> Vec<LogLine> {
        self.0.collected.borrow().clone()
    }

    /// Waits for a line that fits, past or future, and returns it. Only with [`LogSink::Collect`] does it ever come.
    pub async fn logged(&self, fits: impl Fn(&LogLine) -> bool) -> LogLine {
        let mut collected = self.0.collected.subscribe();
        let mut seen = 0;
        loop {
            let found = {
                let lines = collected.borrow_and_update();
                let found = lines[seen..].iter().find(|line| fits(line)).cloned();
                seen = lines.len();
                found
            };
            if let Some(line) = found {
                return line;
            }
            // The sender lives in `self`, so that this cannot fail.
            let _ = collected.changed().await;
        }
    }

    /// Reads what a function writes, line by line, until it ends.
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

    /// Adds one line. A sink that fails loses it: a full disk must not stop the functions.
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
    async fn lines_are_told_apart_even_without_a_last_newline_and_with_broken_text() {
        let log = Log::open(&LogSink::Collect).unwrap();
        log.clone().read("F".into(), &b"one\r\ntwo\n\xff"[..]).await;
        let lines: Vec<String> = log.lines().into_iter().map(|line| line.line).collect();
        assert_eq!(lines, ["one", "two", "\u{fffd}"]);
    }

    #[tokio::test]
    async fn a_line_can_be_waited_for_before_it_is_written() {
        let log = Log::open(&LogSink::Collect).unwrap();
        let writer = log.clone();
        let (line, ()) = tokio::join!(log.logged(|line| line.line == "b"), async move {
            writer.read("F".into(), &b"a\nb\n"[..]).await;
        });
        assert_eq!(line, LogLine { function: "F".into(), line: "b".into() });
    }

    #[tokio::test]
    async fn a_file_gets_the_functions_name_in_front_of_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("functions.log");
        let log = Log::open(&LogSink::File(path.clone())).unwrap();
        log.read("ConnectFunction".into(), &b"hello\n"[..]).await;
        assert_eq!(std::fs::read_to_string(path).unwrap(), "ConnectFunction | hello\n");
    }
}
