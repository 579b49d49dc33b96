//! AWS on a laptop, as far as one SAM template needs it: knows no route and depends on no crate of the application.

mod connections;
pub mod dynamodb;
pub mod faults;
pub mod front;
mod gateway;
pub mod iam;
pub mod identity;
pub mod lambda;
pub mod ledger;
mod living;
mod open_files;
pub mod secrets;
pub mod socket;
pub mod streams;
mod timestamps;

pub use gateway::{Gateway, Options, StartError};
pub use iam::{Grant, Iam};
pub use lambda::{Binaries, Functions, InvokeError, LogLine, LogSink, MissingBinary};
pub use ledger::Ledger;
pub use socket::Limits;
pub use streams::Timing;
