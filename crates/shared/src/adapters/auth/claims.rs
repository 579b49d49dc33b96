//! The claims of a token, parsed without ambiguity.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The claims of a token. Duplicate claims are rejected because parsers disagree on which one counts.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Whether a claim is present, with any value.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A claim that is a string and not blank.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The strings of a claim that is a string or a list of strings.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A time in seconds since the epoch, rounded down; `Ok(None)` if the claim is absent. RFC 7519 allows fractions.
    pub fn seconds(&self, name: &str) -> Result<Option<u64>, InvalidTime> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => {
                let rounded = || format!("{:.0}", value.as_f64()?.floor()).parse().ok();
                let seconds: Option<u64> = value.as_u64().or_else(rounded);
                seconds.filter(|seconds| *seconds <= LAST_SECOND).map(Some).ok_or(InvalidTime)
            }
        }
    }
}

/// A claim is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidTime;

/// The end of the year 9999; later times are certainly mistakes.
const LAST_SECOND: u64 = 253_402_300_799;

/// Debug output never contains claims.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims({})", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueClaims;
        impl<'de> Visitor<'de> for UniqueClaims {
            type Value = Claims;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the claims of a token")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate claim"));
                    }
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(UniqueClaims)
    }
}
