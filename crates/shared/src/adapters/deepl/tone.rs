//! The tone in which DeepL writes each language, read from `tone.json`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use protocol::language::Language;

/// <https://developers.deepl.com/docs/best-practices/custom-instructions>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tone {
    /// DeepL accepts `prefer_more` for every language and ignores it where a language has no formality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formality: Option<String>,
    /// At most 10 instructions of 300 characters each, in English or in the target language.
    #[serde(rename(serialize = "custom_instructions"), default, skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<String>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
static TONES: LazyLock<HashMap<String, Tone>> =
    LazyLock::new(|| serde_json::from_str(include_str!("tone.json")).expect("the tones are valid JSON"));

/// The tone of a language. The file's entry `""` is for the languages that it does not name.
#[expect(clippy::expect_used, reason = "a test checks that the entry exists")]
pub(super) fn tone(language: &Language) -> &'static Tone {
    TONES.get(language.primary()).or_else(|| TONES.get("")).expect("the file has a default tone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_stay_within_deepls_limits() {
        assert!(TONES.contains_key(""));
        for (language, tone) in &*TONES {
            assert!(tone.instructions.len() <= 10, "{language}");
            assert!(tone.instructions.iter().all(|instruction| instruction.chars().count() <= 300), "{language}");
            assert!(tone.formality.as_deref().is_none_or(|formality| formality.starts_with("prefer_")), "{language}");
        }
    }

    #[test]
    fn korean_politeness_is_an_instruction() {
        let tone = tone(&"ko".parse().expect("a valid tag"));
        assert_eq!(tone.formality, None);
        assert!(!tone.instructions.is_empty());
    }
}
