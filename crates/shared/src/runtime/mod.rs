//! The one `main` of all functions: logging, the envelope, the identity, the reply and the mapping of errors.

mod action;
mod caller;
mod function;
mod lifecycle;
mod stream;

pub use action::{NoLookup, Request, Route, SessionLookup, serve, serve_without_aws, unserved_action};
pub use caller::{Caller, Handshake};
pub use function::{Fatal, run, start};
pub use lifecycle::{Accepted, Lifecycle, serve_lifecycle};
pub use stream::{Change, StreamReader, serve_stream};
