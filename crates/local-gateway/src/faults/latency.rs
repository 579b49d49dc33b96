//! The latency of one kind of call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The latency of one kind of call on AWS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The median in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile in milliseconds.
    pub p99_ms: f64,
    /// Where the numbers come from.
    pub source: String,
}

impl Latency {
    /// The log-normal distribution with the two percentiles, at a point of the standard normal distribution.
    pub(super) fn at(&self, normal: f64) -> Duration {
        /// The 99th percentile of the standard normal distribution.
        const P99: f64 = 2.326_347_874;
        let sigma = (self.p99_ms / self.p50_ms).ln() / P99;
        Duration::from_secs_f64((self.p50_ms * (sigma * normal).exp() / 1000.0).clamp(0.0, 60.0))
    }

    pub(super) fn is_possible(&self) -> bool {
        self.p50_ms > 0.0 && self.p99_ms >= self.p50_ms && self.p99_ms.is_finite()
    }
}
