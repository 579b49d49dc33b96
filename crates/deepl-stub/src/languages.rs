//! The languages that DeepL translates from and to, and a guess at the language of a text by its script.
//! <https://developers.deepl.com/docs/getting-started/supported-languages>

use serde_json::{Value, json};

/// Source languages: code, name, and whether `formality` is supported with it as the target.
const LANGUAGES: [(&str, &str, bool); 33] = [
    ("AR", "Arabic", false),
    ("BG", "Bulgarian", false),
    ("CS", "Czech", false),
    ("DA", "Danish", false),
    ("DE", "German", true),
    ("EL", "Greek", false),
    ("EN", "English", false),
    ("ES", "Spanish", true),
    ("ET", "Estonian", false),
    ("FI", "Finnish", false),
    ("FR", "French", true),
    ("HE", "Hebrew", false),
    ("HU", "Hungarian", false),
    ("ID", "Indonesian", false),
    ("IT", "Italian", true),
    ("JA", "Japanese", true),
    ("KO", "Korean", false),
    ("LT", "Lithuanian", false),
    ("LV", "Latvian", false),
    ("NB", "Norwegian (Bokmål)", false),
    ("NL", "Dutch", true),
    ("PL", "Polish", true),
    ("PT", "Portuguese", true),
    ("RO", "Romanian", false),
    ("RU", "Russian", true),
    ("SK", "Slovak", false),
    ("SL", "Slovenian", false),
    ("SV", "Swedish", false),
    ("TH", "Thai", false),
    ("TR", "Turkish", false),
    ("UK", "Ukrainian", false),
    ("VI", "Vietnamese", false),
    ("ZH", "Chinese", false),
];

/// Target languages with a region or script: code, name, and their source language.
const VARIANTS: [(&str, &str, &str); 7] = [
    ("EN-GB", "English (British)", "EN"),
    ("EN-US", "English (American)", "EN"),
    ("ES-419", "Spanish (Latin American)", "ES"),
    ("PT-BR", "Portuguese (Brazilian)", "PT"),
    ("PT-PT", "Portuguese (European)", "PT"),
    ("ZH-HANS", "Chinese (simplified)", "ZH"),
    ("ZH-HANT", "Chinese (traditional)", "ZH"),
];

/// Targets that still work but are no longer listed: DeepL chooses the region.
const LEGACY: [&str; 2] = ["EN", "PT"];

pub(crate) fn is_source(code: &str) -> bool {
    LANGUAGES.iter().any(|(known, ..)| *known == code)
}

/// Also accepts `EN` and `PT` without a region, and `ZH` without a script.
pub(crate) fn is_target(code: &str) -> bool {
    is_source(code) || VARIANTS.iter().any(|(known, ..)| *known == code)
}

/// Whether `formality` may be `more` or `less`; `prefer_more` and `prefer_less` are always accepted.
pub(crate) fn supports_formality(target: &str) -> bool {
    LANGUAGES.iter().any(|(code, _, formal)| *formal && *code == base(target))
}

/// A language without its region or script: `EN` for `EN-US`.
pub(crate) fn base(code: &str) -> &str {
    code.split('-').next().unwrap_or(code)
}

/// The response to `GET /v2/languages`.
pub(crate) fn listed(targets: bool, extra: &[String]) -> Value {
    let extra = extra.iter().map(|code| json!({ "language": code, "name": code }));
    if !targets {
        let listed = LANGUAGES.iter().map(|(code, name, _)| json!({ "language": code, "name": name }));
        return listed.chain(extra).collect();
    }
    let entry = |code: &str, name: &str| json!({ "language": code, "name": name, "supports_formality": supports_formality(code) });
    let plain = LANGUAGES.iter().filter(|(code, ..)| !LEGACY.contains(code)).map(|(code, name, _)| entry(code, name));
    plain.chain(VARIANTS.iter().map(|(code, name, _)| entry(code, name))).chain(extra).collect()
}

/// Whether a letter belongs to a script.
type InScript = fn(char) -> bool;

/// The language that the script of most words suggests; English by default. Tags have no words.
pub(crate) fn detect(text: &str) -> &'static str {
    const SCRIPTS: [(&str, InScript); 8] = [
        ("JA", |letter| matches!(letter, '\u{3041}'..='\u{30ff}')),
        ("KO", |letter| matches!(letter, '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}')),
        ("ZH", |letter| matches!(letter, '\u{4e00}'..='\u{9fff}')),
        ("RU", |letter| matches!(letter, '\u{0400}'..='\u{04ff}')),
        ("EL", |letter| matches!(letter, '\u{0370}'..='\u{03ff}')),
        ("AR", |letter| matches!(letter, '\u{0600}'..='\u{06ff}')),
        ("HE", |letter| matches!(letter, '\u{0590}'..='\u{05ff}')),
        ("TH", |letter| matches!(letter, '\u{0e00}'..='\u{0e7f}')),
    ];
    let words: String = text.split('<').map(|part| part.split_once('>').map_or(part, |(_, words)| words)).collect();
    // A character of these scripts weighs as much as several Latin letters: `MRI 검사` is Korean.
    let count = |in_script: &InScript| words.chars().filter(|letter| in_script(*letter)).count();
    let latin = words.chars().filter(char::is_ascii_alphabetic).count();
    let counts = SCRIPTS.iter().map(|(code, in_script)| (*code, count(in_script)));
    let (code, letters) = counts.rev().max_by_key(|(_, letters)| *letters).unwrap_or(("EN", 0));
    match code {
        _ if letters * 3 < latin || letters == 0 => "EN",
        // Japanese texts have Chinese characters too, but kana are only Japanese.
        "ZH" if count(&SCRIPTS[0].1) > 0 => "JA",
        code => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_reveal_the_language() {
        for (text, expected) in [
            ("頭が痛いです", "JA"),
            ("カルテ", "JA"),
            ("머리가 아파요", "KO"),
            ("ㅋㅋ", "KO"),
            ("我头疼", "ZH"),
            ("Hello", "EN"),
            ("123 👍", "EN"),
            ("", "EN"),
            ("Привет", "RU"),
            ("สวัสดี", "TH"),
            ("MRI 검사", "KO"),
            ("東京大学病院に行く", "JA"),
            ("Please ask 김민지 about it", "EN"),
            ("Take <x id=\"1\">500㎎</x> 식후", "KO"),
        ] {
            assert_eq!(detect(text), expected, "{text}");
        }
    }

    #[test]
    fn legacy_targets_work_but_are_unlisted() {
        for code in ["EN", "PT", "ZH", "EN-US", "PT-BR", "ZH-HANT", "KO"] {
            assert!(is_target(code), "{code}");
        }
        for code in ["EN-AU", "XX", "", "ko"] {
            assert!(!is_target(code), "{code}");
        }
        assert!(is_source("EN") && !is_source("EN-US") && !is_source("ZH-HANS"));
        let codes = |targets: bool| -> Vec<String> {
            listed(targets, &[])
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["language"].as_str().unwrap().to_owned())
                .collect()
        };
        assert!(!codes(true).contains(&"EN".to_owned()) && codes(true).contains(&"EN-GB".to_owned()));
        assert!(codes(false).contains(&"EN".to_owned()) && !codes(false).contains(&"EN-GB".to_owned()));
    }

    #[test]
    fn german_has_formality_korean_has_not() {
        assert!(!supports_formality("KO") && !supports_formality("EN-US") && supports_formality("DE"));
        assert!(supports_formality("PT-BR"));
    }
}
