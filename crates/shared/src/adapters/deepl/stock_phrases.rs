//! Stock phrases: sentences that mean the same in every conversation.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use protocol::appearance::folded;
use protocol::language::Language;

/// The normalized phrases of each language.
#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
static PHRASES: LazyLock<HashMap<String, HashSet<String>>> = LazyLock::new(|| {
    let phrases: HashMap<String, Vec<String>> =
        serde_json::from_str(include_str!("stock_phrases.json")).expect("the phrases are valid JSON");
    phrases
        .into_iter()
        .map(|(language, phrases)| (language, phrases.iter().map(|phrase| normalize(phrase)).collect()))
        .collect()
});

/// Whether a text is translated without context. Its translation is then the same in every conversation and found in
/// the cache. `네` is not a stock phrase, for it does not always mean "yes".
pub fn is_stock_phrase(text: &str, language: Option<&Language>) -> bool {
    let phrases = language.and_then(|language| PHRASES.get(language.primary()));
    phrases.is_some_and(|phrases| phrases.contains(&normalize(text)))
}

/// Ignores differences that do not show, case, extra spaces and the punctuation at the end.
fn normalize(text: &str) -> String {
    let is_ending = |letter: char| {
        letter.is_whitespace() || matches!(letter, '.' | '。' | '!' | '！' | '?' | '？' | '~' | '〜' | '…')
    };
    let text = folded(text);
    let words: Vec<&str> = text.trim_end_matches(is_ending).split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        tag.parse().expect("a valid tag")
    }

    #[test]
    fn spelling_variants_are_stock_phrases() {
        for (tag, text) in [
            ("ko", "감사합니다"),
            ("ko", " 감사합니다! "),
            ("ko", "\u{1100}\u{1161}\u{11b7}\u{1109}\u{1161}\u{1112}\u{1161}\u{11b8}\u{1102}\u{1175}\u{1103}\u{1161}"),
            ("en-GB", "THANK YOU."),
            ("en", "Ｔｈａｎｋ ｙｏｕ！"),
            ("zh-Hans", "谢谢。"),
        ] {
            assert!(is_stock_phrase(text, Some(&language(tag))), "{text}");
        }
    }

    #[test]
    fn a_yes_is_not_a_stock_phrase() {
        for (tag, text) in [("ko", "네"), ("ja", "はい"), ("en", "no"), ("ko", "")] {
            assert!(!is_stock_phrase(text, Some(&language(tag))), "{text}");
        }
    }

    #[test]
    fn phrases_count_only_in_their_language() {
        for (tag, text) in [("ja", "감사합니다"), ("de", "Danke")] {
            assert!(!is_stock_phrase(text, Some(&language(tag))), "{text}");
        }
        assert!(!is_stock_phrase("감사합니다", None));
    }
}
