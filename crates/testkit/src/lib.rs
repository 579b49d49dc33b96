//! What every program that runs Damso on a laptop needs: building the functions, starting a whole stack, people with
//! tokens, a WebSocket client and access to the tables.
//!
//! `local-gateway` runs any template and knows nothing about chat; this crate knows Damso. The end-to-end tests,
//! `checker` and `measure` start stacks with it, and `cargo dev` shares its builds and people. It shares no type with
//! the functions: clients speak JSON, so a renamed field is noticed.

pub mod binaries;
pub mod people;
pub mod rows;
pub mod stack;
pub mod websocket;

pub use people::Person;
pub use stack::{Stack, StackError, TOKEN_SECRET};
pub use websocket::WebSocket;
