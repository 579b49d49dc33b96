//! Languages as DeepL's codes. <https://developers.deepl.com/docs/getting-started/supported-languages>

use protocol::language::Language;

/// The languages that DeepL offered in June 2026, without regions and scripts. All others are looked up in the list
/// that DeepL publishes, so that languages it adds work without a release.
const KNOWN: [&str; 33] = [
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi", "zh",
];

/// Whether the language needs no look-up in DeepL's list.
pub(super) fn is_known(language: &Language) -> bool {
    KNOWN.contains(&primary(language))
}

/// The language without script and region, under DeepL's name: all Norwegian is Bokmål, and old Java and Android
/// versions use the codes that Hebrew and Indonesian had before 1989.
fn primary(language: &Language) -> &str {
    match language.primary() {
        "no" | "nn" => "nb",
        "iw" => "he",
        "in" => "id",
        primary => primary,
    }
}

/// The `target_lang` of a known language. `EN` and `PT` alone are legacy codes and need a region, Chinese needs a
/// script, and the others have no region.
pub(super) fn target_code(language: &Language) -> String {
    let tag = language.as_str();
    match primary(language) {
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

/// Whether the `target_lang` of a known language is less specific than its tag, as `FR` is for `fr-CA`: DeepL may add
/// the tag itself some day.
pub(super) fn loses_a_part(language: &Language) -> bool {
    language.as_str().contains('-') && !target_code(language).eq_ignore_ascii_case(language.as_str())
}

/// The code that equals the tag, if DeepL lists one.
pub(super) fn exact_code(language: &Language, listed: &[String]) -> Option<String> {
    listed.iter().find(|code| code.eq_ignore_ascii_case(language.as_str())).cloned()
}

/// The `target_lang` of any language according to DeepL's list: the tag itself, the language alone, or the first of the
/// language's variants.
pub(super) fn listed_code(language: &Language, listed: &[String]) -> Option<String> {
    let primary = source_code(language);
    let variant = format!("{primary}-");
    let find = |fits: &dyn Fn(&str) -> bool| listed.iter().find(|code| fits(code)).cloned();
    exact_code(language, listed)
        .or_else(|| find(&|code| code == primary))
        .or_else(|| find(&|code| code.starts_with(&variant)))
}

/// The `source_lang`, which has neither script nor region.
pub(super) fn source_code(language: &Language) -> String {
    primary(language).to_ascii_uppercase()
}

#[expect(clippy::expect_used, reason = "a constant")]
fn traditional() -> Language {
    "zh-Hant".parse().expect("a valid tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        tag.parse().expect("a valid tag")
    }

    #[test]
    fn legacy_codes_get_a_region_or_script() {
        for (tag, target, source) in [
            ("ko", "KO", "KO"),
            ("ja-JP", "JA", "JA"),
            ("en", "EN-US", "EN"),
            ("en-GB", "EN-GB", "EN"),
            ("pt", "PT-BR", "PT"),
            ("pt-PT", "PT-PT", "PT"),
            ("zh", "ZH-HANS", "ZH"),
            ("zh-TW", "ZH-HANT", "ZH"),
            ("no", "NB", "NB"),
            ("nn-NO", "NB", "NB"),
            ("iw-IL", "HE", "HE"),
            ("in", "ID", "ID"),
        ] {
            let language = language(tag);
            assert_eq!((target_code(&language).as_str(), source_code(&language).as_str()), (target, source));
            assert!(is_known(&language));
        }
    }

    #[test]
    fn listed_regions_are_used() {
        let listed = ["FR", "FR-CA"].map(str::to_owned);
        for (tag, loses, code) in [("fr", false, Some("FR")), ("fr-CA", true, Some("FR-CA")), ("fr-BE", true, None)] {
            assert_eq!(loses_a_part(&language(tag)), loses, "{tag}");
            assert_eq!(exact_code(&language(tag), &listed).as_deref(), code, "{tag}");
        }
        assert!(!loses_a_part(&language("en-GB")));
    }

    #[test]
    fn new_languages_are_found_in_the_list() {
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
