//! How messages are translated, and what that may cost.

use std::time::Duration;

use super::environment::{ConfigError, parsed};
use super::limits::Rate;

/// How messages are translated.
#[derive(Debug, Clone, Copy)]
pub struct TranslationConfig {
    /// `TRANSLATION_CACHE_DAYS`: days to reuse a machine translation; 0 turns the cache off.
    pub cache_days: u64,
    /// `QUOTA_PAUSE_SECONDS`: how long automatic translation pauses once the account's characters are used up.
    pub quota_pause: Duration,
}

impl TranslationConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            cache_days: parsed("TRANSLATION_CACHE_DAYS")?,
            quota_pause: Duration::from_secs(parsed("QUOTA_PAUSE_SECONDS")?),
        })
    }
}

/// What automatic translation may spend.
#[derive(Debug, Clone, Copy)]
pub struct AutoTranslationConfig {
    /// `TRANSLATION_BUDGET`: characters per hospital and month; 0: no limit.
    pub budget: u64,
    /// `AUTO_CHARACTERS_PER_HOUR`: characters per person and hour; 0: no limit.
    pub characters: Rate,
}

impl AutoTranslationConfig {
    pub fn read() -> Result<Self, ConfigError> {
        let per_hour = parsed("AUTO_CHARACTERS_PER_HOUR")?;
        Ok(Self {
            budget: parsed("TRANSLATION_BUDGET")?,
            characters: Rate::new(per_hour, Duration::from_secs(60 * 60), per_hour),
        })
    }
}

/// What `getUsage` reports besides the counts.
#[derive(Debug, Clone, Copy)]
pub struct TranslationReportConfig {
    /// `TRANSLATION_BUDGET`: characters per hospital and month; 0: no limit.
    pub budget: u64,
    /// `DEEPL_PRICE`: price of a million characters, in the currency in which DeepL bills.
    pub price: f64,
}

impl TranslationReportConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self { budget: parsed("TRANSLATION_BUDGET")?, price: parsed("DEEPL_PRICE")? })
    }
}
