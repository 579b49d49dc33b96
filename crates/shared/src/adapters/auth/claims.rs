//! What a token claims, read so that it means one thing only.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The claims of a token. A claim that stands there twice makes it no token: which of the two counts would depend on who reads it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// What somebody else has proved already.
    pub fn of(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Whether a claim stands there, whatever it is.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A claim that is a text with something in it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The texts of a claim that is one text or a list of them.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A time in seconds since the epoch: `Ok(None)` where there is none, `Err` where it is something else. RFC 7519 allows fractions,
    /// and no issuer that is known to us makes any; a text is no time at all.
    pub fn seconds(&self, name: &str) -> Result<Option<u64>, NoTime> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_u64().filter(|seconds| *seconds <= LAST_SECOND).map(Some).ok_or(NoTime),
        }
    }
}

/// A claim that should be a time is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoTime;

/// The end of the year 9999: what is later is a mistake.
const LAST_SECOND: u64 = 253_402_300_799;

/// What a token claims is never printed.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims({})", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Claims;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the claims of a token")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands there twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(Once)
    }
}
