//! Formats the functions' log lines, which are JSON for CloudWatch, for a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};

const DIM: Style = Style::new().dimmed();

/// Formats a line as `HH:MM:SS function  message name=value …`. A line that is not JSON is kept as it is. Returns
/// `None` for empty lines and for metrics, which are for CloudWatch only.
#[must_use]
pub fn readable(function: &str, line: &str) -> Option<String> {
    let line = line.trim_end();
    if line.is_empty() {
        return None;
    }
    let Ok(Value::Object(entry)) = serde_json::from_str(line) else {
        return Some(format!("         {DIM}{function:<18}{DIM:#} {line}"));
    };
    // A metric. What it counts is logged as a line too.
    if entry.contains_key("_aws") {
        return None;
    }
    let time = entry.get("timestamp").and_then(Value::as_str).and_then(|stamp| stamp.get(11..19)).unwrap_or("        ");
    let level = entry.get("level").and_then(Value::as_str).unwrap_or("");
    let style = style_of(level);
    // tracing nests an event's fields under `fields`, unless it was told to flatten them.
    let fields = entry.get("fields").and_then(Value::as_object).unwrap_or(&entry);
    let message = fields.get("message").and_then(Value::as_str).unwrap_or("");

    let mut readable = format!("{DIM}{time}{DIM:#} {function:<18} {style}{message}{style:#}");
    for (name, value) in details(fields) {
        let _ = match value {
            Value::String(text) => write!(readable, " {DIM}{name}={text}{DIM:#}"),
            other => write!(readable, " {DIM}{name}={other}{DIM:#}"),
        };
    }
    Some(readable)
}

/// The fields worth showing: neither those that have their own place in the line, nor ids that only CloudWatch can look
/// up.
fn details(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    const HIDDEN: [&str; 9] =
        ["message", "timestamp", "level", "target", "span", "spans", "requestId", "xrayTraceId", "fields"];
    fields.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str()))
}

fn style_of(level: &str) -> Style {
    match level {
        "ERROR" => AnsiColor::Red.on_default(),
        "WARN" => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(function: &str, line: &str) -> Option<String> {
        readable(function, line).map(|line| anstream::adapter::strip_str(&line).to_string())
    }

    #[test]
    fn json_line_shows_message_and_fields() {
        let line = r#"{"timestamp":"2026-11-20T23:21:07.123Z","level":"INFO","target":"send_message",
            "fields":{"message":"appended","seq":42,"room":"consult:u1:h9"}}"#;
        assert_eq!(
            plain("send-message", line).unwrap(),
            "23:21:07 send-message       appended room=consult:u1:h9 seq=42"
        );
    }

    #[test]
    fn flattened_line_reads_the_same() {
        let line = r#"{"timestamp":"2026-11-20T23:21:07.123Z","level":"INFO","message":"appended","seq":42}"#;
        assert_eq!(plain("send-message", line).unwrap(), "23:21:07 send-message       appended seq=42");
    }

    #[test]
    fn other_lines_are_kept() {
        assert_eq!(
            plain("fan-out", "thread 'main' panicked").unwrap(),
            "         fan-out            thread 'main' panicked"
        );
    }

    #[test]
    fn empty_lines_and_metrics_are_dropped() {
        assert_eq!(readable("fan-out", "  "), None);
        assert_eq!(readable("fan-out", r#"{"Failed":1,"_aws":{"CloudWatchMetrics":[]}}"#), None);
    }
}
