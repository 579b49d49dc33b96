//! Languages as DeepL's codes. <https://developers.deepl.com/docs/getting-started/supported-languages>

use crate::language::Language;

/// The `target_lang`: `EN` and `PT` alone are legacy and want a region; Chinese wants a script; others go without region.
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
            let language: Language = tag.parse().expect("valid");
            assert_eq!((target_code(&language).as_str(), source_code(&language).as_str()), (target, source));
        }
    }
}
