//! Texts that people write. Their limits are checked when they are parsed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::appearance::is_visible;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing to see: white space, zero-width characters, controls.
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
    } else if !is_visible(&text) {
        Err(InvalidText::Empty)
    } else {
        Ok(text)
    }
}

/// The text of a message or a corrected translation: with something to see, at most 4,000 characters and 16 KB.
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

/// The name of a group: with something to see, at most 100 characters.
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

/// The beginning of a text, at most `characters` long as people count them (grapheme clusters), with an ellipsis if it
/// was shortened. Of characters that are stacked out of many code points it takes fewer.
pub fn preview(text: &str, characters: usize) -> String {
    const MAX_CODE_POINTS_EACH: usize = 8;
    let most = characters * MAX_CODE_POINTS_EACH;
    let mut graphemes = text.grapheme_indices(true);
    let is_short = graphemes.nth(characters).is_none();
    if is_short && text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut code_points = 0;
    let fitting = text.graphemes(true).take(characters - 1).take_while(|grapheme| {
        code_points += grapheme.chars().count();
        code_points < most
    });
    fitting.chain(["…"]).collect()
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

    #[test]
    fn preview_is_cut_between_graphemes() {
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(preview(&family.repeat(3), 3), family.repeat(3));
        assert_eq!(preview(&family.repeat(4), 3), format!("{family}{family}…"));
        assert_eq!(preview("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        let syllable = "\u{1112}\u{1161}\u{11ab}";
        assert_eq!(preview(&syllable.repeat(3), 2), format!("{syllable}…"));
    }

    #[test]
    fn preview_leaves_out_stacks_of_marks() {
        let stack = format!("a{}", "\u{301}".repeat(10_000));
        assert_eq!(preview(&format!("네 {stack}"), 10), "네 …");
    }

    #[test]
    fn invisible_text_is_refused() {
        for text in ["\u{200b}\u{3164}", "\u{202e}", "\u{2800}"] {
            assert_eq!(MessageText::new(text.to_owned()), Err(InvalidText::Empty), "{}", text.escape_unicode());
            assert!(serde_json::from_value::<RoomName>(text.into()).is_err(), "{}", text.escape_unicode());
        }
    }
}
