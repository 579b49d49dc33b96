//! Reading environment variables.
#![expect(clippy::disallowed_methods, reason = "this module reads the environment for all others")]

use std::fmt;
use std::str::FromStr;

/// An environment variable that is missing or invalid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not set, or empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// Set to something that cannot be read.
    #[error("environment variable {name} {reason}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it should be.
        reason: String,
    },
}

pub(super) fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub(super) fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// A variable that may be missing.
pub(super) fn parsed_optional<T>(name: &'static str) -> Result<Option<T>, ConfigError>
where
    T: FromStr<Err: fmt::Display>,
{
    let parse = |value: String| value.parse().map_err(|error: T::Err| invalid(name, error));
    optional(name).map(parse).transpose()
}

/// A variable that must be set.
pub(super) fn parsed<T>(name: &'static str) -> Result<T, ConfigError>
where
    T: FromStr<Err: fmt::Display>,
{
    parsed_optional(name)?.ok_or(ConfigError::Missing(name))
}

pub(super) fn invalid(name: &'static str, reason: impl fmt::Display) -> ConfigError {
    ConfigError::Invalid { name, reason: reason.to_string() }
}
