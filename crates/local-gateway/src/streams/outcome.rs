//! What a function's response to a batch means.

use axum::body::Bytes;
use serde_json::Value;

use super::event::{Record, sequence_number};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The whole batch was processed.
    Delivered,
    /// The record at this index failed; all before it were processed.
    DeliveredBefore(usize),
    /// No record counts as processed.
    Failed,
}

/// Reads a response; `None` if the function failed.
///
/// With `ReportBatchItemFailures`, the lowest reported sequence number is the checkpoint. A response that is empty,
/// `null`, or lists no failures is a success. An identifier that is empty, `null` or not of this batch fails the whole
/// batch, as does an unreadable response.
pub(super) fn outcome(response: Option<&Bytes>, records: &[Record], reports_failures: bool) -> Outcome {
    let Some(response) = response else { return Outcome::Failed };
    if !reports_failures || response.is_empty() {
        return Outcome::Delivered;
    }
    let Ok(response) = serde_json::from_slice::<Value>(response) else { return Outcome::Failed };
    let failures = match response.get("batchItemFailures") {
        None | Some(Value::Null) => return Outcome::Delivered,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Outcome::Failed,
    };
    let mut lowest = None;
    for failure in failures {
        let identifier = failure["itemIdentifier"].as_str();
        let index = records.iter().position(|record| Some(sequence_number(record.number).as_str()) == identifier);
        match index {
            None => return Outcome::Failed,
            Some(index) => lowest = Some(lowest.map_or(index, |lowest: usize| lowest.min(index))),
        }
    }
    lowest.map_or(Outcome::Delivered, Outcome::DeliveredBefore)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records() -> Vec<Record> {
        (1..=3).map(|number| Record { number, created_at: 0, event: Value::Null, size: 0 }).collect()
    }

    fn of(answer: Value) -> Outcome {
        outcome(Some(&Bytes::from(answer.to_string())), &records(), true)
    }

    #[test]
    fn lowest_reported_number_is_the_checkpoint() {
        let item = |number: i64| json!({ "itemIdentifier": sequence_number(number) });
        assert_eq!(of(json!({ "batchItemFailures": [item(3), item(2)] })), Outcome::DeliveredBefore(1));
        assert_eq!(of(json!({ "batchItemFailures": [item(1)] })), Outcome::DeliveredBefore(0));
    }

    #[test]
    fn no_failures_is_success() {
        for answer in [json!({ "batchItemFailures": [] }), json!({ "batchItemFailures": null }), json!({}), json!(null)]
        {
            assert_eq!(of(answer.clone()), Outcome::Delivered, "{answer}");
        }
        assert_eq!(outcome(Some(&Bytes::new()), &records(), true), Outcome::Delivered);
    }

    #[test]
    fn invalid_identifiers_fail_the_batch() {
        for item in [
            json!({ "itemIdentifier": "" }),
            json!({ "itemIdentifier": null }),
            json!({ "id": "1" }),
            json!({ "itemIdentifier": "9" }),
        ] {
            assert_eq!(of(json!({ "batchItemFailures": [item] })), Outcome::Failed, "{item}");
        }
        assert_eq!(outcome(Some(&Bytes::from_static(b"oops")), &records(), true), Outcome::Failed);
    }

    #[test]
    fn reports_need_the_setting() {
        let answer = Bytes::from(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }).to_string());
        assert_eq!(outcome(Some(&answer), &records(), false), Outcome::Delivered);
        assert_eq!(outcome(None, &records(), false), Outcome::Failed);
    }
}
