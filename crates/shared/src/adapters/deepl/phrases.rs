//! Stock phrases: what means the same whatever was said before it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use protocol::language::Language;

#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
static PHRASES: LazyLock<HashMap<String, HashSet<String>>> = LazyLock::new(|| {
    let phrases: HashMap<String, Vec<String>> =
        serde_json::from_str(include_str!("stock_phrases.json")).expect("the phrases are valid JSON");
    phrases
        .into_iter()
        .map(|(language, phrases)| (language, phrases.iter().map(|phrase| bare(phrase)).collect()))
        .collect()
});

/// Whether a text is translated without what was said before it. Then its translation is the same in every conversation, and
/// found in the cache; `네` is none, for it is not always "yes".
pub fn is_stock_phrase(text: &str, language: Option<&Language>) -> bool {
    language.and_then(|language| PHRASES.get(language.primary())).is_some_and(|phrases| phrases.contains(&bare(text)))
}

/// A phrase whatever its case, its spaces and the marks at its end.
fn bare(text: &str) -> String {
    let mark = |letter: char| {
        letter.is_whitespace() || matches!(letter, '.' | '。' | '!' | '！' | '?' | '？' | '~' | '〜' | '…')
    };
    let words: Vec<&str> = text.trim_end_matches(mark).split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thanks_are_a_stock_phrase_and_a_yes_is_none() {
        let language = |tag: &str| -> Language { tag.parse().expect("valid") };
        for (tag, text) in
            [("ko", "감사합니다"), ("ko", " 감사합니다! "), ("en-GB", "THANK YOU."), ("zh-Hans", "谢谢。")]
        {
            assert!(is_stock_phrase(text, Some(&language(tag))), "{text}");
        }
        for (tag, text) in
            [("ko", "네"), ("ja", "はい"), ("en", "no"), ("ja", "감사합니다"), ("de", "Danke"), ("ko", "")]
        {
            assert!(!is_stock_phrase(text, Some(&language(tag))), "{text}");
        }
        assert!(!is_stock_phrase("감사합니다", None));
    }
}
