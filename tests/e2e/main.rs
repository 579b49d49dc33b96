//! The end-to-end tests: the real binaries behind the local gateway, and clients that speak JSON over real sockets.
//!
//! Each file tests one part of the behaviour and uses only the harness (`end_to_end`), never another file.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod architecture;
mod catch_up;
mod checker;
mod conversation;
mod costs;
mod dev_command;
mod error_codes;
mod event_files;
mod express_lane;
mod handshake;
mod hostile_user;
mod iam_policies;
mod idempotency;
mod invalid_requests;
mod multiple_devices;
mod mutated_events;
mod next_version;
mod operations;
mod privacy;
mod rate_limits;
mod reading_languages;
mod regressions_consult;
mod regressions_group;
mod replies;
mod secret_rotation;
mod sessions;
mod token_issuers;
mod translation;
mod trusted_proxy;
mod unresponsive_connections;
