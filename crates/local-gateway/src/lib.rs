//! AWS on a laptop, as far as a SAM template with a WebSocket API needs it. Knows no route, and depends on no crate of
//! the application.
#![warn(missing_docs)]

mod connection_aborter;
pub mod dynamodb;
mod endpoint;
pub mod faults;
mod gateway;
mod iam;
mod identity;
pub mod interceptor;
pub mod lambda;
pub mod ledger;
mod open_files;
mod options;
mod secrets;
mod socket;
mod start_error;
mod streams;
mod timestamps;

pub use gateway::Gateway;
pub use iam::{Grant, Iam};
pub use interceptor::Interceptor;
pub use lambda::{Binaries, Functions, InvokeError, LogLine, LogSink, MissingBinary};
pub use ledger::Ledger;
pub use options::Options;
pub use socket::Limits;
pub use start_error::StartError;
pub use streams::{Condition, GivenUp, Streams, Timing};
