//! Checks that no acknowledged message is lost, duplicated or reordered. Many clients write in many rooms while faults
//! are injected; each records what it sent, what was acknowledged and what it saw. Once everything is quiet, the judge
//! compares these histories with the tables.
//!
//! The clients implement "Using `seq`" of the protocol over real sockets. The checker shares only the wire format with
//! the functions, so that it does not repeat their mistakes.

mod client;
mod client_pool;
pub mod entry;
pub mod history;
pub mod judge;
pub mod mutations;
mod operation;
pub mod plans;
pub mod room_view;
mod run;
pub mod snapshot;
mod timing;
mod verdict;
pub mod workload;

pub use run::{CheckError, Options, Progress, run};
pub use timing::ClientTiming;
pub use verdict::Verdict;
