//! AWS on a laptop, as far as one SAM template needs it: knows no route and depends on no crate of the application.

pub mod template;
