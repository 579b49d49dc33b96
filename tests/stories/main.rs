//! The end-to-end stories: the real binaries behind the local gateway, and clients that speak JSON over real sockets.
//!
//! One file per story. What the files share is the harness (`end_to_end`); no story uses another.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a story fails by panicking")]

mod access;
mod architecture;
mod bad_input;
mod checker;
mod connecting;
mod conversation;
mod costs;
mod dev_command;
mod errors;
mod events;
mod express;
mod flooding;
mod front_gateway;
mod idempotency;
mod issuer;
mod odd_input;
mod policies;
mod privacy;
mod protocol;
mod replies;
mod resume;
mod seeds_a;
mod seeds_b;
mod sessions;
mod slow_readers;
mod translation;
mod two_devices;
