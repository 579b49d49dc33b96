//! Measures what a message costs and how long it takes: AWS calls, capacity units and dollars per action, how these
//! grow, delivery times with and without AWS's latencies, and the size of each function.
//!
//! Counts are exact and the same on every machine, so a test holds them. Times depend on the machine; compare only
//! times of the same run.

pub mod actions;
pub mod bill;
pub mod client;
pub mod costs;
pub mod delivery;
pub mod fan_out;
pub mod functions;
pub mod growth;
pub mod percentile;
pub mod prices;
pub mod stack;
pub mod table;
pub mod traffic;
pub mod translation;
