//! The phrasebook: sentences of a clinic's chat and greetings, in Korean, Japanese, English and simplified Chinese.
//!
//! Each entry of `phrasebook.json` is one sentence. Other languages are translated to the first wording of a language;
//! all wordings are recognized, regardless of case and of punctuation at the end.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::languages;

const SOURCE: &str = include_str!("phrasebook.json");

/// Lower-case language code → wordings
type Entry = HashMap<String, Vec<String>>;

struct Phrasebook {
    entries: Vec<Entry>,
    /// (Language, normalized wording) → index of the entry.
    index: HashMap<(String, String), usize>,
}

#[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
static PHRASEBOOK: LazyLock<Phrasebook> = LazyLock::new(|| {
    let entries: Vec<Entry> = serde_json::from_str(SOURCE).expect("the phrasebook is valid JSON");
    let mut index = HashMap::new();
    for (number, entry) in entries.iter().enumerate() {
        for (language, wordings) in entry {
            for wording in wordings {
                index.entry((language.clone(), normalized(wording))).or_insert(number);
            }
        }
    }
    Phrasebook { entries, index }
});

/// Translates a text sentence by sentence; `None` if the phrasebook lacks one of the sentences or the language. The
/// codes are DeepL's.
pub(crate) fn translate(text: &str, source: &str, target: &str) -> Option<String> {
    let language = match target {
        "ZH-HANT" => return None,
        _ => languages::base(target).to_lowercase(),
    };
    if let Some(whole) = lookup(text, source, &language) {
        return Some(ended_like(text, whole, &language));
    }
    let sentences = sentences(text);
    if sentences.len() < 2 {
        return None;
    }
    let mut translated = Vec::new();
    for sentence in sentences {
        translated.push(ended_like(sentence, lookup(sentence, source, &language)?, &language));
    }
    Some(translated.join(if ["ja", "zh"].contains(&language.as_str()) { "" } else { " " }))
}

/// The language of a known sentence whose script does not tell.
pub(crate) fn language_of(text: &str) -> Option<&'static str> {
    let text = normalized(text);
    [("ja", "JA"), ("zh", "ZH"), ("ko", "KO"), ("en", "EN")]
        .into_iter()
        .find(|(language, _)| PHRASEBOOK.index.contains_key(&((*language).to_owned(), text.clone())))
        .map(|(_, code)| code)
}

fn lookup(text: &str, source: &str, language: &str) -> Option<&'static str> {
    let entry = *PHRASEBOOK.index.get(&(source.to_lowercase(), normalized(text)))?;
    PHRASEBOOK.entries[entry].get(language)?.first().map(String::as_str)
}

/// Keeps a full stop or an exclamation mark at the end of a sentence.
fn ended_like(original: &str, translated: &str, language: &str) -> String {
    let wide = ["ja", "zh"].contains(&language);
    let mark = match original.trim_end().chars().last() {
        Some('.' | '。') if wide => '。',
        Some('.' | '。') => '.',
        Some('!' | '！') if wide => '！',
        Some('!' | '！') => '!',
        _ => return translated.to_owned(),
    };
    format!("{}{mark}", translated.trim_end_matches(is_mark))
}

fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(is_mark).map(str::trim).filter(|sentence| !sentence.trim_matches(is_mark).is_empty()).collect()
}

fn normalized(text: &str) -> String {
    let text = text.trim().trim_end_matches(|letter: char| is_mark(letter) || letter.is_whitespace());
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '.' | '。' | '!' | '！' | '?' | '？' | '…' | '~' | '〜')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_four_languages_and_unique_wordings() {
        assert!(PHRASEBOOK.entries.len() >= 60, "{}", PHRASEBOOK.entries.len());
        let mut wordings = 0;
        for entry in &PHRASEBOOK.entries {
            for language in ["ko", "ja", "en", "zh"] {
                assert!(entry.get(language).is_some_and(|wordings| !wordings.is_empty()), "{entry:?}");
            }
            assert_eq!(entry.len(), 4, "{entry:?}");
            wordings += entry.values().map(Vec::len).sum::<usize>();
        }
        assert_eq!(PHRASEBOOK.index.len(), wordings);
    }

    #[test]
    fn wordings_use_the_script_of_their_language() {
        for entry in &PHRASEBOOK.entries {
            for (language, code) in [("ko", "KO"), ("en", "EN")] {
                for wording in &entry[language] {
                    assert_eq!(languages::detect(wording), code, "{wording}");
                }
            }
            for wording in &entry["ja"] {
                assert_eq!(languages::detect(wording), "JA", "{wording}");
            }
            for wording in &entry["zh"] {
                assert_eq!(languages::detect(wording), "ZH", "{wording}");
            }
        }
    }

    #[test]
    fn case_spaces_and_end_marks_are_ignored() {
        for text in ["thank you", "Thank you!", "  THANK   YOU ", "Thank you..."] {
            assert!(translate(text, "EN", "KO").unwrap().starts_with("감사합니다"), "{text}");
        }
        assert_eq!(translate("감사합니다", "KO", "JA").as_deref(), Some("ありがとうございます"));
        assert_eq!(translate("감사합니다.", "KO", "ZH-HANS").as_deref(), Some("谢谢。"));
        assert_eq!(translate("네", "KO", "EN-US").as_deref(), Some("Yes"));
        assert_eq!(translate("언제부터 아프셨어요?", "KO", "JA").as_deref(), Some("いつから痛みますか？"));
    }

    #[test]
    fn known_sentences_are_translated_one_by_one() {
        assert_eq!(
            translate("こんにちは。予約したいです。", "JA", "KO").as_deref(),
            Some("안녕하세요. 예약하고 싶어요.")
        );
        assert_eq!(
            translate("안녕하세요. 어떻게 도와드릴까요?", "KO", "JA").as_deref(),
            Some("こんにちは。どのようなご用件でしょうか？")
        );
        assert_eq!(translate("こんにちは。これは知りません。", "JA", "KO"), None);
    }

    #[test]
    fn unknown_sentences_are_not_translated() {
        assert_eq!(translate("감사합니다", "KO", "DE"), None);
        assert_eq!(translate("감사합니다", "KO", "ZH-HANT"), None);
        assert_eq!(translate("감사합니다", "JA", "KO"), None);
        assert_eq!(translate("", "KO", "JA"), None);
    }
}
