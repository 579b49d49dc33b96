//! Sequence numbers of entries, and positions in a log.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::InvalidId;

/// The number of an entry in its room's log: 1, 2, 3 … without gaps. At most 2^53 − 1, the largest integer that every
/// JSON parser represents exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// The first entry of every room, which records its creation.
    pub const FIRST: Self = Self(1);
    /// The highest possible number.
    pub const LAST: Self = Self(Self::MAX);
    const MAX: u64 = (1 << 53) - 1;

    /// The number as an integer.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The position right before this entry.
    pub fn position_before(self) -> LogPosition {
        LogPosition(self.0 - 1)
    }

    /// The number halfway to `other`.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }
}

impl TryFrom<u64> for Seq {
    type Error = InvalidId;
    fn try_from(number: u64) -> Result<Self, InvalidId> {
        if (1..=Self::MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidId("must be a whole number from 1 to 2^53 - 1"))
        }
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::try_from(whole_number(deserializer)?).unwrap_or(0);
        Self::try_from(number).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An integer of either sign. A value that is too large reads as `i64::MAX`, which the range check rejects.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Whole;
    impl serde::de::Visitor<'_> for Whole {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }
        fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }
        fn visit_u64<E>(self, number: u64) -> Result<i64, E> {
            Ok(i64::try_from(number).unwrap_or(i64::MAX))
        }
    }
    deserializer.deserialize_i64(Whole)
}

/// A position in a room's log: the [`Seq`] of the entry it is at, or 0 before the first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct LogPosition(u64);

impl LogPosition {
    /// The position as an integer.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The entry at this position; `None` before the first entry.
    pub fn seq(self) -> Option<Seq> {
        (self.0 > 0).then_some(Seq(self.0))
    }

    /// The entry after this position.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

impl From<Seq> for LogPosition {
    fn from(seq: Seq) -> Self {
        Self(seq.0)
    }
}

impl<'de> Deserialize<'de> for LogPosition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::try_from(whole_number(deserializer)?) {
            Ok(number) if number <= Seq::MAX => Ok(Self(number)),
            _ => Err(serde::de::Error::custom("must be a whole number from 0 to 2^53 - 1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seq_is_an_exact_json_integer() {
        for rejected in ["0", "-1", "9223372036854775808", "9007199254740992", "1.5", "\"1\""] {
            assert!(serde_json::from_str::<Seq>(rejected).is_err(), "{rejected}");
        }
        assert_eq!(serde_json::from_str::<Seq>("9007199254740991").expect("valid").get(), 9_007_199_254_740_991);
    }
}
