//! The values that clients and functions share: ids, languages, rooms, messages, the wire format, and the table of who
//! may do what. Pure: no AWS, no I/O, compiles in seconds.
#![warn(missing_docs)]

pub mod access;
pub mod appearance;
pub mod chat;
pub mod clock;
pub mod ids;
pub mod language;
pub mod wire;
