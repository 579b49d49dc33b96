//! In which tone DeepL shall write a language: a data file.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use protocol::language::Language;

/// How a language is to be written.
/// <https://developers.deepl.com/docs/best-practices/custom-instructions>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tone {
    /// `prefer_more` is taken for every language, and works where a language has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formality: Option<String>,
    /// At most 10 of 300 characters, in English or the language itself.
    #[serde(rename(serialize = "custom_instructions"), default, skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<String>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
static TONES: LazyLock<HashMap<String, Tone>> =
    LazyLock::new(|| serde_json::from_str(include_str!("tone.json")).expect("the tones are valid JSON"));

/// The tone of a language; that of all others where the file does not name it.
#[expect(clippy::expect_used, reason = "a test reads it")]
pub(super) fn tone(language: &Language) -> &'static Tone {
    TONES.get(language.primary()).or_else(|| TONES.get("")).expect("there is a tone for all others")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tone_is_one_that_deepl_takes() {
        assert!(TONES.contains_key(""));
        for (language, tone) in &*TONES {
            assert!(tone.instructions.len() <= 10, "{language}");
            assert!(tone.instructions.iter().all(|instruction| instruction.chars().count() <= 300), "{language}");
            assert!(tone.formality.as_deref().is_none_or(|formality| formality.starts_with("prefer_")), "{language}");
        }
    }

    #[test]
    fn korean_has_no_formality_but_an_instruction() {
        let tone = tone(&"ko".parse().expect("valid"));
        assert!(tone.formality.is_none() && !tone.instructions.is_empty());
    }
}
