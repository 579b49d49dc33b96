//! Why a fault plan is rejected.

use std::path::PathBuf;

use super::kind::Kind;
use super::latency::Latency;

/// Why a plan is rejected.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("failed to read the fault plan {}: {_1}", _0.display())]
    File(PathBuf, std::io::Error),
    /// The file is not a plan.
    #[error("{} is not a fault plan: {_1}", _0.display())]
    Json(PathBuf, serde_json::Error),
    /// A probability is out of range.
    #[error("the probability {probability} of {kind} in the fault plan is not between 0 and 1")]
    Probability {
        /// The kind of fault.
        kind: Kind,
        /// The value in the plan.
        probability: f64,
    },
    /// No distribution has these percentiles.
    #[error(
        "the latency with p50 {} ms and p99 {} ms ({}) is impossible: p50 must be above 0, and p99 no smaller",
        _0.p50_ms, _0.p99_ms, _0.source
    )]
    Latency(Latency),
    /// The shortest duration is longer than the longest.
    #[error("the fault plan's {kind} has least_ms {least_ms}, which is above most_ms {most_ms}")]
    Range {
        /// The kind of fault.
        kind: Kind,
        /// The shortest duration.
        least_ms: u64,
        /// The longest duration.
        most_ms: u64,
    },
    /// The plan names a function that is not in the template.
    #[error("the fault plan's {field} names `{name}`, which is not in the template")]
    Unknown {
        /// The field of the plan.
        field: &'static str,
        /// The name in the field.
        name: String,
    },
}
