//! A function's log lines, which are JSON for CloudWatch, in a form for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};

const FAINT: Style = Style::new().dimmed();

/// `HH:MM:SS function  message  name=value …`; what is not a JSON log line is kept as it is. Returns nothing for an
/// empty line, nor for a metric, which is for CloudWatch alone.
#[must_use]
pub fn readable(function: &str, line: &str) -> Option<String> {
    let line = line.trim_end();
    if line.is_empty() {
        return None;
    }
    let Ok(Value::Object(entry)) = serde_json::from_str(line) else {
        return Some(format!("         {FAINT}{function:<18}{FAINT:#} {line}"));
    };
    // A metric for CloudWatch; what it counts stands in a line of its own.
    if entry.contains_key("_aws") {
        return None;
    }
    let time = entry.get("timestamp").and_then(Value::as_str).and_then(|stamp| stamp.get(11..19)).unwrap_or("        ");
    let level = entry.get("level").and_then(Value::as_str).unwrap_or("");
    let style = style_of(level);
    // tracing nests an event's fields under `fields`, unless it was told to flatten them.
    let fields = entry.get("fields").and_then(Value::as_object).unwrap_or(&entry);
    let message = fields.get("message").and_then(Value::as_str).unwrap_or("");

    let mut readable = format!("{FAINT}{time}{FAINT:#} {function:<18} {style}{message}{style:#}");
    for (name, value) in details(fields) {
        let _ = match value {
            Value::String(text) => write!(readable, " {FAINT}{name}={text}{FAINT:#}"),
            other => write!(readable, " {FAINT}{name}={other}{FAINT:#}"),
        };
    }
    Some(readable)
}

/// The fields that tell one line from another: not those that a terminal shows anyway, nor ids that only CloudWatch
/// can look up.
fn details(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    const ELSEWHERE: [&str; 9] =
        ["message", "timestamp", "level", "target", "span", "spans", "requestId", "xrayTraceId", "fields"];
    fields.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()))
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
    fn a_json_line_becomes_one_sentence_with_its_details() {
        let line = r#"{"timestamp":"2026-11-20T23:21:07.123Z","level":"INFO","fields":{"message":"appended","seq":42,"room":"consult:u1:h9"},"target":"send_message"}"#;
        assert_eq!(
            plain("send-message", line).unwrap(),
            "23:21:07 send-message       appended room=consult:u1:h9 seq=42"
        );
    }

    #[test]
    fn a_flattened_line_reads_the_same() {
        let line = r#"{"timestamp":"2026-11-20T23:21:07.123Z","level":"INFO","message":"appended","seq":42}"#;
        assert_eq!(plain("send-message", line).unwrap(), "23:21:07 send-message       appended seq=42");
    }

    #[test]
    fn a_line_that_is_not_json_is_kept() {
        assert_eq!(
            plain("fan-out", "thread 'main' panicked").unwrap(),
            "         fan-out            thread 'main' panicked"
        );
    }

    #[test]
    fn an_empty_line_and_a_metric_are_left_out() {
        assert_eq!(readable("fan-out", "  "), None);
        assert_eq!(readable("fan-out", r#"{"Failed":1,"_aws":{"CloudWatchMetrics":[]}}"#), None);
    }
}
