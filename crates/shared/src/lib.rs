//! What the functions share: the table models, the JWT checks, the DeepL client, and the one `main` of them all. The
//! verbs ("when a message is sent, …") live in the route crates, the pure types in `protocol`.
//!
//! Direction inside the crate: `config`, `aws`, `error`, `metric` ← `adapters` (one per outside system) ← `services`
//! (what several routes use) ← `runtime` (logging, envelope, identity, reply).

pub mod adapters;
pub mod aws;
pub mod config;
pub mod error;
#[cfg(test)]
mod http_stub;
pub mod metric;
pub mod runtime;
pub mod services;
