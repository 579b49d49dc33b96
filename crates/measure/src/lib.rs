//! Measures what a message costs and how long it takes: AWS calls and capacity units per action, dollars, growth, delivery
//! times as fast as the machine allows and at AWS's published latencies, and what each function weighs.
//!
//! The counts are exact and the same on every machine, so a test holds them. The times are a laptop's: compare those of one
//! run with each other.

pub mod bill;
pub mod client;
pub mod costs;
pub mod delivery;
pub mod fanout;
pub mod functions;
pub mod growth;
pub mod percentile;
pub mod prices;
pub mod stack;
pub mod table;
pub mod tour;
pub mod translation;
