//! Metrics: CloudWatch extracts them from log lines in its embedded metric format, without a call or a resource. They
//! are in the namespace `Damso`, by function and, for the alarms, by stack.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde_json::{Value, json};

use crate::config::{function_name, stack_name};
use protocol::clock::{Clock, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Characters that DeepL bills.
    BilledCharacters,
    /// Requests or changes that failed through our fault.
    Failed,
    /// Stream records and rows that cannot be read.
    PoisonRecord,
    /// Pushes that were given up; the client notices the gap.
    PushDropped,
    /// Translations that failed because the characters of DeepL's account (456), or those of the stack's day, are used
    /// up; whether DeepL was called or not.
    QuotaUsedUp,
    /// Translations after which more than half of what the stack may have translated in a day was used.
    StackCharactersHigh,
    /// Calls that DynamoDB throttled. The SDK repeats them, so that most requests succeed all the same.
    Throttled,
    /// Translations that failed for a reason that the operator can fix.
    TranslationFailed,
}

impl Metric {
    pub const ALL: [Self; 8] = [
        Self::BilledCharacters,
        Self::Failed,
        Self::PoisonRecord,
        Self::PushDropped,
        Self::QuotaUsedUp,
        Self::StackCharactersHigh,
        Self::Throttled,
        Self::TranslationFailed,
    ];

    /// Whether an operator has to hear of it: `template.yaml` has an alarm for each of these.
    pub fn needs_alarm(self) -> bool {
        match self {
            Self::BilledCharacters => false,
            Self::Failed
            | Self::PoisonRecord
            | Self::PushDropped
            | Self::QuotaUsedUp
            | Self::StackCharactersHigh
            | Self::Throttled
            | Self::TranslationFailed => true,
        }
    }
}

pub fn count(metric: Metric, amount: u64) {
    let source = Source { function: function_name(), stack: stack_name() };
    println!("{}", line(metric, amount, &source, Clock::System.now()));
}

/// Where a metric was counted.
struct Source {
    function: String,
    stack: String,
}

fn line(metric: Metric, amount: u64, source: &Source, now: Timestamp) -> Value {
    let name = format!("{metric:?}");
    let described = json!({
        "Namespace": "Damso",
        "Dimensions": [["FunctionName"], ["StackName"]],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    });
    let mut line = json!({
        "_aws": {"Timestamp": now.millis(), "CloudWatchMetrics": [described]},
        "FunctionName": source.function,
        "StackName": source.stack,
    });
    line[name] = amount.into();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_follows_the_embedded_metric_format() {
        let source = Source { function: "damso-fan-out".to_owned(), stack: "damso".to_owned() };
        let line = line(Metric::PushDropped, 3, &source, Timestamp::from_millis(5));
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        let name = &described["Metrics"][0]["Name"];
        let values = [0, 1].map(|set| {
            let dimension = &described["Dimensions"][set][0];
            line[dimension.as_str().expect("a name")].clone()
        });
        assert_eq!(line["_aws"]["Timestamp"], 5);
        assert_eq!(line[name.as_str().expect("a name")], 3);
        assert_eq!(values, ["damso-fan-out", "damso"]);
    }

    /// The metrics of ours that an alarm of the template watches, over all functions of the stack.
    #[test]
    fn every_metric_that_needs_one_has_an_alarm() {
        let template = include_str!("../../../template.yaml");
        let is_alarm = |resource: &&str| {
            ["Type: AWS::CloudWatch::Alarm", "Namespace: Damso", "{Name: StackName, Value: !Ref AWS::StackName}"]
                .iter()
                .all(|line| resource.contains(line))
        };
        let watched = template.split("\n\n").filter(is_alarm).filter_map(|alarm| {
            let (_, name) = alarm.split_once("MetricName: ")?;
            name.lines().next()
        });
        let mut watched: Vec<&str> = watched.collect();
        watched.sort_unstable();
        let needed = Metric::ALL.into_iter().filter(|metric| metric.needs_alarm()).map(|metric| format!("{metric:?}"));
        assert_eq!(watched, needed.collect::<Vec<_>>());
    }
}
