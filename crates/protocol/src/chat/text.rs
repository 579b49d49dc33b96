//! Texts that people write. Their limits are checked when they are parsed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Only white space.
    #[error("must not be empty")]
    Empty,
    /// Over the limits.
    #[error("must be at most {characters} characters and {bytes} bytes")]
    TooLong {
        /// The most characters (Unicode scalar values).
        characters: usize,
        /// The most bytes of UTF-8.
        bytes: usize,
    },
}

fn bounded(text: String, characters: usize, bytes: usize) -> Result<String, InvalidText> {
    if text.len() > bytes || text.chars().count() > characters {
        Err(InvalidText::TooLong { characters, bytes })
    } else if text.trim().is_empty() {
        Err(InvalidText::Empty)
    } else {
        Ok(text)
    }
}

/// The text of a message or a corrected translation: not blank, at most 4,000 characters and 16 KB.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MessageText(String);

impl MessageText {
    /// The most characters.
    pub const MAX_CHARACTERS: usize = 4_000;
    /// The most bytes of UTF-8.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Checks a text against the limits.
    pub fn new(text: String) -> Result<Self, InvalidText> {
        bounded(text, Self::MAX_CHARACTERS, Self::MAX_BYTES).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Debug output never contains message text.
impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageText({} bytes)", self.0.len())
    }
}

/// The name of a group: not blank, at most 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RoomName(String);

impl RoomName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for RoomName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        bounded(text.trim().to_owned(), 100, 400).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The beginning of a text, at most `characters` long, with an ellipsis if it was shortened.
pub(crate) fn preview(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_limited_to_4000_characters() {
        assert!(MessageText::new("가".repeat(4_000)).is_ok());
        assert!(matches!(MessageText::new("가".repeat(4_001)), Err(InvalidText::TooLong { .. })));
    }

    #[test]
    fn text_is_limited_to_16_kb() {
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert!(matches!(MessageText::new(family.repeat(700)), Err(InvalidText::TooLong { .. })));
    }

    #[test]
    fn blank_text_is_refused() {
        assert_eq!(MessageText::new(" \n\u{3000}".to_owned()), Err(InvalidText::Empty));
    }

    #[test]
    fn preview_counts_characters_and_adds_an_ellipsis() {
        assert_eq!(preview("감사합니다", 5), "감사합니다");
        assert_eq!(preview("감사합니다", 4), "감사합…");
    }
}
