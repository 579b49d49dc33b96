//! The latencies of AWS, imposed on a local stack that is faster, so that designs can be compared on a laptop by the
//! time they would take on AWS.
//!
//! A latency is a floor: a response is sent no earlier than the drawn time after its request. The time that the laptop
//! itself takes counts towards it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::error::PlanError;
use super::json_file;
use super::latency::Latency;

/// The latency of each kind of call. Kinds without one take as long as they do locally.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latencies {
    /// By the name of a DynamoDB operation, or `default`; as the calling function sees it.
    pub dynamodb: BTreeMap<String, Latency>,
    /// Any operation of Secrets Manager.
    pub secrets: Option<Latency>,
    /// `PostToConnection`: the frame is sent, and the call answered, after this time.
    pub push: Option<Latency>,
    /// Between a client's frame and the start of its function's invocation, and again between the result and the reply.
    /// Includes what Lambda itself adds to a warm invocation.
    pub api_gateway: Option<Latency>,
    /// Between the start of a process and the first invocation that it can accept.
    pub cold_start: Option<Latency>,
    /// Between a write and the invocation that delivers its stream record. Records written meanwhile are included.
    pub stream_hop: Option<Latency>,
}

/// A moment before which a response must not be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor(Option<Instant>);

impl Floor {
    pub(super) const NONE: Floor = Floor(None);

    pub(super) fn at(moment: Instant) -> Floor {
        Floor(Some(moment))
    }

    /// Whether there is anything to wait for.
    pub(crate) fn is_ahead(self) -> bool {
        self.0.is_some_and(|moment| moment > Instant::now())
    }

    /// Waits until it has passed.
    pub(crate) async fn passed(self) {
        if let Some(moment) = self.0 {
            tokio::time::sleep_until(moment.into()).await;
        }
    }
}

impl Latencies {
    /// Reads latencies from a JSON file.
    ///
    /// # Errors
    ///
    /// [`PlanError::File`] and [`PlanError::Json`].
    pub fn read(file: &Path) -> Result<Latencies, PlanError> {
        json_file::read(file)
    }

    /// The latency of a DynamoDB operation.
    pub(crate) fn of_dynamodb(&self, operation: &str) -> Option<&Latency> {
        self.dynamodb.get(operation).or_else(|| self.dynamodb.get("default"))
    }

    /// The first latency whose percentiles no distribution has.
    pub(super) fn impossible(&self) -> Option<&Latency> {
        let others = [&self.secrets, &self.push, &self.api_gateway, &self.cold_start, &self.stream_hop];
        self.dynamodb.values().chain(others.into_iter().flatten()).find(|latency| !latency.is_possible())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::faults::draw::normal;
    use crate::faults::{Faults, Plan};

    #[test]
    fn draws_match_the_percentiles() {
        let latency = Latency { p50_ms: 213.0, p99_ms: 552.0, source: "measured".into() };
        let draws: Vec<Duration> = (0..20_000).map(|counter| latency.at(normal(1, counter, "latency"))).collect();
        let above = |ms| draws.iter().filter(|draw| **draw > Duration::from_millis(ms)).count();
        assert!((9_700..10_300).contains(&above(213)), "{} above the median", above(213));
        assert!((140..260).contains(&above(552)), "{} above the 99th percentile", above(552));
    }

    #[test]
    fn operations_fall_back_to_the_default() {
        let latencies: Latencies = serde_json::from_str(
            r#"{"dynamodb": {
                "default": {"p50_ms": 4, "p99_ms": 9, "source": "a"},
                "Query": {"p50_ms": 5, "p99_ms": 9, "source": "b"}
            }}"#,
        )
        .unwrap();
        let source = |operation| latencies.of_dynamodb(operation).map(|latency| latency.source.as_str());
        assert_eq!((source("PutItem"), source("Query")), (Some("a"), Some("b")));
        assert!(latencies.impossible().is_none());
    }

    #[test]
    fn old_starts_need_no_wait() {
        let push = Latency { p50_ms: 300.0, p99_ms: 300.0, source: "a test".into() };
        let latencies = Some(Latencies { push: Some(push), ..Latencies::default() });
        let faults = Faults::none();
        let floor = |started| faults.floor_since(started, |latencies| latencies.push.as_ref()).is_ahead();
        let now = Instant::now();
        assert!(!floor(now), "nothing waits without latencies");
        faults.set(Plan { latencies, ..Plan::default() }).unwrap();
        assert!(floor(now) && !floor(now - Duration::from_secs(1)));
    }
}
