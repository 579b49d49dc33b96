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

/// What translation may spend, in characters.
#[derive(Debug, Clone, Copy)]
pub struct TranslationLimits {
    /// `TRANSLATION_BUDGET`: per hospital and month, automatically; 0: no limit.
    pub budget: u64,
    /// `STACK_CHARACTERS_PER_DAY`: for everybody, in a day; 0: no limit.
    pub stack: u64,
    /// `CHARACTERS_PER_HOUR` and `CHARACTERS_PER_DAY`: for one person, automatically and on request.
    pub person: Rate,
}

impl TranslationLimits {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            budget: parsed("TRANSLATION_BUDGET")?,
            stack: parsed("STACK_CHARACTERS_PER_DAY")?,
            person: per_person(parsed("CHARACTERS_PER_HOUR")?, parsed("CHARACTERS_PER_DAY")?),
        })
    }
}

/// A bucket that holds an hour's characters and takes a day to regain a day's. 0: that limit is not set.
fn per_person(per_hour: u32, per_day: u32) -> Rate {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let burst = [per_hour, per_day].into_iter().filter(|limit| *limit > 0).min().unwrap_or_default();
    let hourly = Rate::new(per_hour, HOUR, burst);
    let daily = Rate::new(per_day, 24 * HOUR, burst);
    Rate { interval: hourly.interval.max(daily.interval), ..hourly }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The characters in a full bucket, and those that it regains in a day.
    fn limits(per_hour: u32, per_day: u32) -> Option<(u32, u128)> {
        let Rate { interval, burst } = per_person(per_hour, per_day);
        Some((burst, Duration::from_secs(24 * 60 * 60).as_nanos() / interval?.as_nanos()))
    }

    #[test]
    fn both_limits_of_a_person_hold() {
        assert_eq!(limits(50_000, 200_000), Some((50_000, 200_000)));
        assert_eq!(limits(1_000, 200_000), Some((1_000, 24_000)));
        assert_eq!(limits(50_000, 10_000), Some((10_000, 10_000)));
        assert_eq!(limits(50_000, 0), Some((50_000, 1_200_000)));
        assert_eq!(limits(0, 10_000), Some((10_000, 10_000)));
        assert_eq!(limits(0, 0), None);
    }
}
