//! The nouns of Damso and its doors to outside systems. The verbs ("when somebody sends a message, then …") live in
//! the route crates.
//!
//! Direction inside the crate: `ids`, `language`, `verbatim`, `chat` (pure values) ← `wire` ← `error` ← `table`, `auth`, `deepl`,
//! `push`, `secrets` (one door per outside system) ← `access`, `seats`, `tries`, `audience`, `hangup`, `translator` (what two routes do alike) ←
//! `runtime` (the one `main`).

pub mod audience;
pub mod auth;
pub mod bucket;
pub mod config;
pub mod deepl;
pub mod digest;
pub mod doors;
pub mod error;
pub mod hangup;
pub mod metric;
pub mod push;
pub mod runtime;
pub mod seats;
pub mod secrets;
#[cfg(test)]
mod stand_in;
pub mod table;
pub mod translator;
pub mod tries;
