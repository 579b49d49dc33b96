//! How long AWS takes, put upon a stack that is faster: so that designs can be compared on a laptop by the time that they
//! would take where they run.
//!
//! What is put upon a call is a floor: its answer leaves no earlier than the drawn time after it came in. What the laptop
//! itself takes counts within it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Faults, PlanError, unit};

/// How long one kind of call takes on AWS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Half of all calls are faster, in milliseconds.
    pub p50_ms: f64,
    /// All but one of a hundred are faster, in milliseconds.
    pub p99_ms: f64,
    /// Who says so.
    pub source: String,
}

/// How long the calls of each kind take, as a JSON file says it. What is left out takes as long as it takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latencies {
    /// An operation of DynamoDB by its name, or `default`, as the function that calls it sees it.
    pub dynamodb: BTreeMap<String, Latency>,
    /// An operation of Secrets Manager.
    pub secrets: Option<Latency>,
    /// `PostToConnection`: its frame goes out, and it is answered, when the time is over.
    pub push: Option<Latency>,
    /// Between a client's frame and the begin of its function's invocation, and once more between its result and the
    /// reply. What Lambda itself adds to a warm invocation is part of it.
    pub api_gateway: Option<Latency>,
    /// Between a new process's start and the first invocation that it can take.
    pub cold_start: Option<Latency>,
    /// Between a write and the invocation that its stream record is delivered with; what is written meanwhile goes along.
    pub stream_hop: Option<Latency>,
}

/// A moment before which nothing goes out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor(Option<Instant>);

impl Floor {
    /// Whether there is anything to wait for.
    pub(crate) fn is_ahead(self) -> bool {
        self.0.is_some_and(|moment| moment > Instant::now())
    }

    /// Waits for it, if it lies ahead.
    pub(crate) async fn passed(self) {
        if let Some(moment) = self.0 {
            tokio::time::sleep_until(moment.into()).await;
        }
    }
}

impl Latency {
    /// The log-normal distribution through the two figures, at a point of the standard normal one.
    fn at(&self, normal: f64) -> Duration {
        /// Where the standard normal distribution reaches 99 in 100.
        const P99: f64 = 2.326_347_874;
        let sigma = (self.p99_ms / self.p50_ms).ln() / P99;
        Duration::from_secs_f64((self.p50_ms * (sigma * normal).exp() / 1000.0).clamp(0.0, 60.0))
    }

    fn is_possible(&self) -> bool {
        self.p50_ms > 0.0 && self.p99_ms >= self.p50_ms && self.p99_ms.is_finite()
    }
}

impl Latencies {
    /// Reads the table from a JSON file.
    ///
    /// # Errors
    ///
    /// [`PlanError::File`] and [`PlanError::Json`].
    pub fn read(file: &Path) -> Result<Latencies, PlanError> {
        let text = std::fs::read(file).map_err(|problem| PlanError::File(file.to_owned(), problem))?;
        serde_json::from_slice(&text).map_err(|problem| PlanError::Json(file.to_owned(), problem))
    }

    /// How long an operation of DynamoDB takes.
    pub(crate) fn of_dynamodb(&self, operation: &str) -> Option<&Latency> {
        self.dynamodb.get(operation).or_else(|| self.dynamodb.get("default"))
    }

    /// The first of the figures that no distribution has.
    pub(super) fn impossible(&self) -> Option<&Latency> {
        let others = [&self.secrets, &self.push, &self.api_gateway, &self.cold_start, &self.stream_hop];
        self.dynamodb.values().chain(others.into_iter().flatten()).find(|latency| !latency.is_possible())
    }
}

impl Faults {
    /// Whether things take as long as on AWS.
    pub(crate) fn have_latencies(&self) -> bool {
        self.are_active() && self.state().plan.latencies.is_some()
    }

    /// The earliest moment at which something that begins now may be done. `of` says what takes so long.
    pub(crate) fn floor(&self, of: impl FnOnce(&Latencies) -> Option<&Latency>) -> Floor {
        self.floor_since(Instant::now(), of)
    }

    /// The same for something that began then.
    pub(crate) fn floor_since(&self, begun: Instant, of: impl FnOnce(&Latencies) -> Option<&Latency>) -> Floor {
        if !self.are_active() {
            return Floor(None);
        }
        let mut state = self.state();
        let Some(latency) = state.plan.latencies.as_ref().and_then(of).cloned() else { return Floor(None) };
        state.drawn += 1;
        let normal = normal(state.plan.seed, state.drawn);
        Floor(Some(begun + latency.at(normal)))
    }
}

/// The n-th draw from the standard normal distribution, by the method of Box and Muller: the same for ever.
fn normal(seed: u64, counter: u64) -> f64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(counter.to_le_bytes());
    hash.update("latency");
    let digest = hash.finalize();
    let [radius, angle] = [0, 8].map(|at| unit(&digest[at..at + 8]));
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Plan;

    #[test]
    fn half_of_the_draws_are_below_the_median_and_one_in_a_hundred_above_the_99th_percentile() {
        let latency = Latency { p50_ms: 213.0, p99_ms: 552.0, source: "measured".into() };
        let draws: Vec<Duration> = (0..20_000).map(|counter| latency.at(normal(1, counter))).collect();
        let above = |ms| draws.iter().filter(|draw| **draw > Duration::from_millis(ms)).count();
        assert!((9_700..10_300).contains(&above(213)), "{} above the median", above(213));
        assert!((140..260).contains(&above(552)), "{} above the 99th percentile", above(552));
    }

    #[test]
    fn an_operation_without_a_figure_of_its_own_takes_the_default() {
        let latencies: Latencies = serde_json::from_str(
            r#"{"dynamodb": {"default": {"p50_ms": 4, "p99_ms": 9, "source": "a"}, "Query": {"p50_ms": 5, "p99_ms": 9, "source": "b"}}}"#,
        )
        .unwrap();
        let source = |operation| latencies.of_dynamodb(operation).map(|latency| latency.source.as_str());
        assert_eq!((source("PutItem"), source("Query")), (Some("a"), Some("b")));
        assert!(latencies.impossible().is_none());
    }

    #[test]
    fn what_began_long_enough_ago_waits_for_nothing() {
        let push = Latency { p50_ms: 300.0, p99_ms: 300.0, source: "a test".into() };
        let latencies = Some(Latencies { push: Some(push), ..Latencies::default() });
        let faults = Faults::none();
        let floor = |begun| faults.floor_since(begun, |latencies| latencies.push.as_ref()).is_ahead();
        let now = Instant::now();
        assert!(!floor(now), "without latencies nothing waits");
        faults.set(Plan { latencies, ..Plan::default() }).unwrap();
        assert!(floor(now) && !floor(now - Duration::from_secs(1)));
    }
}
