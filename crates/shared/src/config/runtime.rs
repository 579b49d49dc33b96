//! What every function reads.

use super::environment::{ConfigError, optional, parsed, parsed_optional};

/// How a function starts and logs.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeConfig {
    /// `WARM_IN_INIT`: whether connections are opened before the first invocation.
    pub warm_in_init: bool,
    /// `LOG_LEVEL`: the least severe level that is logged; `info` if it is not set.
    pub log_level: tracing::Level,
}

impl RuntimeConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            warm_in_init: parsed("WARM_IN_INIT")?,
            log_level: parsed_optional("LOG_LEVEL")?.unwrap_or(tracing::Level::INFO),
        })
    }
}

/// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
pub fn function_name() -> String {
    optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()
}

/// `STACK_NAME`, the stack that the function belongs to.
pub fn stack_name() -> String {
    optional("STACK_NAME").unwrap_or_default()
}
