//! The harness of the end-to-end tests: the real binaries behind the local gateway ([`World`]), and a [`Client`]
//! that speaks to them as any client does: JSON over a real socket. It shares no type with the functions, so a
//! renamed field fails a test.
//!
//! A test waits for events (a reply, a push, a closed socket, idle streams), never for a fixed time. That something
//! does not happen is asserted after [`World::settled`], when everything that was going to happen has happened.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod clock;
mod function_log;
mod proxy_headers;
mod waiting;
mod world;

pub use client::{Client, Credential, Refusal};
pub use function_log::is_count_of;
pub use proxy_headers::ProxyHeaders;
pub use testkit::TOKEN_SECRET;
pub use testkit::people::{Person, seconds_since_the_epoch, sign};
pub use waiting::{DEADLINE, eventually, in_time};
pub use world::{Consultation, Row, World, binaries, root};
