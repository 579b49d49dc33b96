//! Languages as DeepL's codes. <https://developers.deepl.com/docs/getting-started/supported-languages>

use crate::language::Language;

/// What DeepL offered in June 2026, without regions and scripts. Others are looked up in the list that it publishes, so that
/// what it adds works without a release.
const KNOWN: [&str; 33] = [
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi", "zh",
];

/// Whether DeepL has long offered it.
pub(super) fn is_known(language: &Language) -> bool {
    KNOWN.contains(&language.primary())
}

/// The `target_lang` of a known language: `EN` and `PT` alone are legacy and want a region; Chinese wants a script; others go
/// without region.
pub(super) fn target_code(language: &Language) -> String {
    let tag = language.as_str();
    match language.primary() {
        "en" if tag.ends_with("GB") => "EN-GB".to_owned(),
        "en" => "EN-US".to_owned(),
        "pt" if tag.ends_with("PT") => "PT-PT".to_owned(),
        "pt" => "PT-BR".to_owned(),
        "zh" if language.reads_like(&traditional()) => "ZH-HANT".to_owned(),
        "zh" => "ZH-HANS".to_owned(),
        "es" if tag.ends_with("419") => "ES-419".to_owned(),
        primary => primary.to_ascii_uppercase(),
    }
}

/// The `target_lang` of any language, by the list that DeepL publishes: the very tag, the language alone, or else the first of
/// its variants.
pub(super) fn listed_code(language: &Language, listed: &[String]) -> Option<String> {
    let tag = language.as_str().to_ascii_uppercase();
    let primary = source_code(language);
    let variant = format!("{primary}-");
    let find = |fits: &dyn Fn(&str) -> bool| listed.iter().find(|code| fits(code)).cloned();
    find(&|code| code == tag)
        .or_else(|| find(&|code| code == primary))
        .or_else(|| find(&|code| code.starts_with(&variant)))
}

/// The `source_lang`: without script and region.
pub(super) fn source_code(language: &Language) -> String {
    language.primary().to_ascii_uppercase()
}

#[expect(clippy::expect_used, reason = "a constant")]
fn traditional() -> Language {
    "zh-Hant".parse().expect("a valid tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        tag.parse().expect("valid")
    }

    #[test]
    fn legacy_codes_get_their_region_and_chinese_its_script() {
        for (tag, target, source) in [
            ("ko", "KO", "KO"),
            ("ja-JP", "JA", "JA"),
            ("en", "EN-US", "EN"),
            ("en-GB", "EN-GB", "EN"),
            ("pt", "PT-BR", "PT"),
            ("pt-PT", "PT-PT", "PT"),
            ("zh", "ZH-HANS", "ZH"),
            ("zh-TW", "ZH-HANT", "ZH"),
        ] {
            let language = language(tag);
            assert_eq!((target_code(&language).as_str(), source_code(&language).as_str()), (target, source));
            assert!(is_known(&language));
        }
    }

    #[test]
    fn what_deepl_adds_is_found_in_its_list() {
        let listed = ["SW", "TL-PH", "TL-X", "AZ", "AZ-CYRL"].map(str::to_owned);
        for (tag, code) in [
            ("sw", Some("SW")),
            ("sw-KE", Some("SW")),
            ("tl", Some("TL-PH")),
            ("az-Cyrl", Some("AZ-CYRL")),
            ("xx", None),
        ] {
            assert!(!is_known(&language(tag)));
            assert_eq!(listed_code(&language(tag), &listed).as_deref(), code, "{tag}");
        }
    }
}
