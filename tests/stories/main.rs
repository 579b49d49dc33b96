//! The end-to-end stories: the real binaries behind the local gateway, and clients that speak JSON over real sockets.
//!
//! One file per story. What the files share is the harness (`end_to_end`); no story uses another.

mod architecture;
mod bad_input;
mod checker;
mod connecting;
mod conversation;
mod costs;
mod dev_command;
mod errors;
mod events;
mod idempotency;
mod replies;
mod resume;
mod seeds_a;
mod seeds_b;
mod two_devices;
