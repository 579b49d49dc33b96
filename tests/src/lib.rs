//! The harness of the end-to-end stories: the real binaries behind the local gateway ([`World`]), and a [`Client`]
//! that speaks to them as any client would, JSON over a real socket. It shares no type with the functions, so a
//! renamed field fails a story.
//!
//! A story waits for what it is about (a reply, an event, a closed socket, drained streams) and never sleeps. What
//! should not happen is looked for after [`World::settled`], when everything that was going to happen has.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a story fails by panicking")]

mod client;
mod rows;
mod vouching;
mod world;

pub use client::{Client, Credential, DEADLINE, Refusal};
pub use dev::people::{Person, seconds_since_the_epoch, sign};
pub use rows::Row;
pub use vouching::Vouching;
pub use world::{Consultation, TOKEN_SECRET, World, binaries, root};
