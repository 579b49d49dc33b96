//! Faults that AWS really has, injected into a running stack by a [`Plan`], to show how an application copes with them.
//!
//! Every decision is a pure function of the plan's seed, the kind of fault, and the number of earlier decisions about
//! that kind: a run can be repeated, and switching one kind on changes nothing about the others. Without a plan nothing
//! is drawn, and a check costs one atomic load.

mod chance;
mod draw;
mod error;
mod injector;
mod json_file;
mod kind;
mod latencies;
mod latency;
mod plan;
#[cfg(test)]
mod tests;

pub use chance::{Chance, Delayed};
pub use error::PlanError;
pub use injector::Faults;
pub(crate) use injector::Injected;
pub use kind::Kind;
pub use latencies::Latencies;
pub use latency::Latency;
pub use plan::{Connections, DynamoDb, Lambda, Plan, Pushes, Streams};
