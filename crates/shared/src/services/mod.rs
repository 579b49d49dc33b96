//! What several routes do alike, on top of the adapters.

pub mod append;
pub mod audience;
pub mod connection_closer;
pub mod digest;
pub mod member_profile;
pub mod membership;
pub mod rate_limiter;
pub mod translator;
