//! Proves that nothing acknowledged is lost, doubled or out of order: drives many rooms with many clients under a plan of
//! faults, records what each client sent, was told and saw, and judges that by the promises once all is quiet.
//!
//! The clients follow PROTOCOL's "Using `seq`" over real sockets. Nothing here is shared with the functions but the wire,
//! so that a mistake of theirs is not made twice.

pub mod account;
pub mod cast;
mod client;
pub mod entry;
mod errand;
pub mod evidence;
pub mod judge;
pub mod mutations;
pub mod plans;
pub mod reading;
mod run;
mod tempo;
mod verdict;

pub use run::{CheckError, Options, Progress, run};
pub use tempo::Tempo;
pub use verdict::Verdict;
