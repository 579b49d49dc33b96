//! Everything of Damso that exists only on a laptop: building the functions, the people of the demonstration and their
//! tokens, the consultation they start with, and how all of it looks in a terminal.
//!
//! `local-gateway` runs any template and knows nothing of chats; this crate is what knows Damso. The `dev` program
//! (`cargo dev`) puts it together, and the end-to-end tests use its [`binaries`] and [`people`].

pub mod binaries;
pub mod consultation;
pub mod environment_file;
pub mod log_lines;
pub mod page;
pub mod people;
pub mod screen;
pub mod token_secret;
pub mod translator;
