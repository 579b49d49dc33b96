//! How likely faults are, and how long they last.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// How likely a fault is. In JSON, a bare probability will do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ChanceJson")]
pub struct Chance {
    /// From 0 (never) to 1 (always).
    pub probability: f64,
    /// The most times it is injected under one plan; unlimited if missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// How likely a fault is, with a duration in milliseconds that is drawn each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delayed {
    /// From 0 (never) to 1 (always).
    pub probability: f64,
    /// The most times it is injected under one plan; unlimited if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// The shortest duration.
    #[serde(default)]
    pub least_ms: u64,
    /// The longest duration.
    pub most_ms: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ChanceJson {
    Bare(f64),
    Full(ChanceFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChanceFields {
    probability: f64,
    at_most: Option<u64>,
}

impl From<ChanceJson> for Chance {
    fn from(json: ChanceJson) -> Chance {
        match json {
            ChanceJson::Bare(probability) => Chance { probability, at_most: None },
            ChanceJson::Full(ChanceFields { probability, at_most }) => Chance { probability, at_most },
        }
    }
}

impl Chance {
    /// Injected with this probability.
    pub const fn of(probability: f64) -> Chance {
        Chance { probability, at_most: None }
    }

    /// Injected the first time, and never again.
    pub const fn once() -> Chance {
        Chance { probability: 1.0, at_most: Some(1) }
    }

    /// The same, at most this many times.
    pub const fn at_most(self, times: u64) -> Chance {
        Chance { at_most: Some(times), ..self }
    }

    /// The same, with a duration in milliseconds drawn from this range.
    pub const fn for_ms(self, range: RangeInclusive<u64>) -> Delayed {
        let Chance { probability, at_most } = self;
        Delayed { probability, at_most, least_ms: *range.start(), most_ms: *range.end() }
    }
}
