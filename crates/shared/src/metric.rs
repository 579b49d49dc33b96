//! Metrics: CloudWatch extracts them from log lines in its embedded metric format, without a call or a resource. They
//! are in the namespace `Damso`, by function.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde_json::{Value, json};

use protocol::clock::{Clock, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Characters that DeepL bills.
    BilledCharacters,
    /// Requests or changes that failed through our fault.
    Failed,
    /// Stream records that cannot be read as log entries.
    PoisonRecord,
    /// Pushes that were given up; the client notices the gap.
    PushDropped,
    /// Translations that failed because the account's characters are used up (456), whether DeepL was called or paused.
    QuotaUsedUp,
    /// Translations that failed for a reason that the operator can fix.
    TranslationFailed,
}

pub fn count(metric: Metric, amount: u64) {
    println!("{}", line(metric, amount, &crate::config::function_name(), Clock::System.now()));
}

fn line(metric: Metric, amount: u64, function: &str, now: Timestamp) -> Value {
    let name = format!("{metric:?}");
    let described = json!({
        "Namespace": "Damso",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    });
    let mut line = json!({
        "_aws": {"Timestamp": now.millis(), "CloudWatchMetrics": [described]},
        "FunctionName": function,
    });
    line[name] = amount.into();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_follows_the_embedded_metric_format() {
        let line = line(Metric::PushDropped, 3, "fan-out", Timestamp::from_millis(5));
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        let name = &described["Metrics"][0]["Name"];
        let dimension = &described["Dimensions"][0][0];
        assert_eq!(line["_aws"]["Timestamp"], 5);
        assert_eq!(line[name.as_str().expect("a name")], 3);
        assert_eq!(line[dimension.as_str().expect("a name")], "fan-out");
    }
}
