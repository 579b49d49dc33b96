//! AWS on a laptop, as far as one SAM template needs it: knows no route and depends on no crate of the application.

mod connections;
pub mod lambda;
mod living;
pub mod socket;
pub mod template;
mod timestamps;
