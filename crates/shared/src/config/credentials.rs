//! How callers prove who they are.

use std::str::FromStr;

use super::environment::{ConfigError, invalid, optional, parsed, parsed_optional, required};
use crate::adapters::auth::IssuerConfig;

/// `CREDENTIALS`: what callers show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// A token or a ticket.
    Tokens,
    /// Headers signed by a trusted proxy.
    Proxy,
}

impl Credentials {
    pub fn read() -> Result<Self, ConfigError> {
        parsed("CREDENTIALS")
    }
}

impl FromStr for Credentials {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tokens" => Ok(Self::Tokens),
            "proxy" => Ok(Self::Proxy),
            _ => Err("must be `tokens` or `proxy`"),
        }
    }
}

/// How tokens are checked.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// `TOKEN_IN_QUERY`: whether `?token=` is accepted.
    pub in_query: bool,
    /// `ALLOWED_ORIGINS`: the browser origins that may connect, separated by commas; `*` for any.
    pub allowed_origins: Vec<String>,
    /// `TOKEN_ISSUERS`, see [`token_issuers`].
    pub issuers: Vec<IssuerConfig>,
}

impl TokenConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            in_query: parsed_optional("TOKEN_IN_QUERY")?.unwrap_or(false),
            allowed_origins: required("ALLOWED_ORIGINS")?.split(',').map(|origin| origin.trim().to_owned()).collect(),
            issuers: token_issuers()?,
        })
    }
}

/// `TOKEN_ISSUERS`: a JSON list of the issuers whose tokens are accepted.
pub fn token_issuers() -> Result<Vec<IssuerConfig>, ConfigError> {
    const NAME: &str = "TOKEN_ISSUERS";
    IssuerConfig::list(&optional(NAME).unwrap_or_default()).map_err(|error| invalid(NAME, error))
}
