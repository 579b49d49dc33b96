//! Which languages a text may be in, by its letters.

use icu_properties::props::Script;

use super::outside_of_spans;
use super::script::script;

/// Longer words in capitals are shouted, not abbreviated.
const MAX_ABBREVIATION: usize = 5;

/// The length of a text in letters of an alphabet: a Han character counts three, being about a word; a kana or a Hangul
/// syllable counts two.
pub fn weight(text: &str) -> usize {
    text.chars().filter(|letter| letter.is_alphabetic()).map(letter_weight).sum()
}

fn letter_weight(letter: char) -> usize {
    match letter {
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}' => 3,
        '\u{3041}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' => 2,
        _ => 1,
    }
}

/// Whether a text may be in a language, given as its BCP 47 tag: the letters of the language's scripts outweigh all
/// others. Names and abbreviations in other scripts are fine (`MRI 검사`), and a text without letters may be in any
/// language.
pub fn may_be_in(text: &str, language: &str) -> bool {
    let scripts = scripts(language);
    let is_letter = |c: &char| c.is_alphabetic() && !matches!(script(*c), Script::Common | Script::Inherited);
    let is_own = |c: &char| scripts.contains(&script(*c));
    let weight = |letters: &mut dyn Iterator<Item = char>| letters.map(letter_weight).sum::<usize>();
    let is_foreign_kana = |c: char| c != 'の' && matches!(script(c), Script::Hiragana | Script::Katakana);
    let mut own = 0;
    let mut foreign = 0;
    let mut has_letters = false;
    for word in outside_of_spans(text).flat_map(|part| part.split(|c: char| !c.is_alphabetic())) {
        // Chinese decorates names with `の` and uses no other kana.
        if scripts.contains(&Script::Bopomofo) && word.contains(is_foreign_kana) {
            return false;
        }
        has_letters |= word.contains(|c| is_letter(&c));
        own += weight(&mut word.chars().filter(is_letter).filter(is_own));
        if !is_abbreviation(word) {
            foreign += weight(&mut word.chars().filter(is_letter).filter(|c| !is_own(c)));
        }
    }
    !has_letters || (own > 0 && own >= foreign)
}

/// `MRI`, which texts in every script use.
fn is_abbreviation(word: &str) -> bool {
    word.chars().all(|c| c.is_uppercase() && script(c) == Script::Latin) && word.chars().count() <= MAX_ABBREVIATION
}

/// The scripts of a language: the one that its tag names, or all that it is usually written in.
fn scripts(tag: &str) -> &'static [Script] {
    let named = |subtag: &str| -> Option<&'static [Script]> {
        match subtag.to_ascii_lowercase().as_str() {
            "latn" => Some(&[Script::Latin]),
            "cyrl" => Some(&[Script::Cyrillic]),
            "arab" => Some(&[Script::Arabic]),
            "deva" => Some(&[Script::Devanagari]),
            _ => None,
        }
    };
    let mut subtags = tag.split('-');
    let language = subtags.next().unwrap_or(tag).to_ascii_lowercase();
    if let Some(scripts) = subtags.find_map(named) {
        return scripts;
    }
    match language.as_str() {
        "ko" => &[Script::Hangul],
        "ja" => &[Script::Han, Script::Hiragana, Script::Katakana],
        "zh" | "yue" | "wuu" | "nan" | "hak" => &[Script::Han, Script::Bopomofo],
        "ru" | "uk" | "be" | "bg" | "mk" | "kk" | "ky" | "tg" | "tt" | "ba" | "cv" | "os" | "ce" | "ab" => {
            &[Script::Cyrillic]
        }
        "mn" => &[Script::Cyrillic, Script::Mongolian],
        "sr" | "bs" | "uz" | "az" | "tk" => &[Script::Latin, Script::Cyrillic],
        "ar" | "fa" | "ur" | "ps" | "sd" | "ug" | "ckb" | "ks" | "prs" => &[Script::Arabic],
        "ku" => &[Script::Latin, Script::Arabic],
        "he" | "iw" | "yi" | "ji" => &[Script::Hebrew],
        "el" => &[Script::Greek],
        "hy" => &[Script::Armenian],
        "ka" => &[Script::Georgian],
        "th" => &[Script::Thai],
        "lo" => &[Script::Lao],
        "km" => &[Script::Khmer],
        "my" => &[Script::Myanmar],
        "bo" | "dz" => &[Script::Tibetan],
        "hi" | "mr" | "ne" | "sa" | "mai" | "bho" | "kok" | "doi" => &[Script::Devanagari],
        "bn" | "as" => &[Script::Bengali],
        "pa" => &[Script::Gurmukhi, Script::Arabic],
        "gu" => &[Script::Gujarati],
        "or" => &[Script::Oriya],
        "ta" => &[Script::Tamil],
        "te" => &[Script::Telugu],
        "kn" => &[Script::Kannada],
        "ml" => &[Script::Malayalam],
        "si" => &[Script::Sinhala],
        "am" | "ti" => &[Script::Ethiopic],
        "dv" => &[Script::Thaana],
        _ => &[Script::Latin],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_rule_languages_out() {
        for (text, may_be, cannot_be) in [
            ("안녕하세요", "ko", "ja zh en ru ar th hi"),
            ("Please take this after meals", "en de vi sw", "ko ja zh ru el he ar th hi zh-Hant"),
            ("食後に飲んでください", "ja", "zh zh-Hant ko en"),
            ("カルテ", "ja", "zh ko en"),
            ("東京大学病院に行く", "ja", "zh"),
            ("手術", "ja zh zh-Hant yue", "ko en"),
            ("请在饭后服用", "zh zh-TW ja", "ko en"),
            ("优の良品", "zh ja", "ko"),
            ("Примите после еды", "ru uk bg sr sr-Cyrl", "en sr-Latn el"),
            ("Πάρτε το μετά το φαγητό", "el", "en ru"),
            ("כואב לי הראש", "he iw", "ar en"),
            ("خذ الدواء بعد الأكل", "ar fa ur", "he en"),
            ("กินยาหลังอาหาร", "th", "lo en"),
            ("सिर में दर्द है", "hi ne mr", "bn en"),
            ("Tomar después de comer", "es en", "ko ru"),
        ] {
            for language in may_be.split(' ') {
                assert!(may_be_in(text, language), "{text} {language}");
            }
            for language in cannot_be.split(' ') {
                assert!(!may_be_in(text, language), "{text} {language}");
            }
        }
    }

    #[test]
    fn foreign_names_do_not_decide() {
        for (text, language) in [
            ("MRI 검사", "ko"),
            ("COVID-19, MRI, CT 검사", "ko"),
            ("Lipitor 복용 중이에요", "ko"),
            ("https://clinic.example/very/long/address 확인", "ko"),
            ("kim.minji.nurse@clinic.co.kr 로", "ko"),
            ("MRIの結果", "ja"),
            ("做CT检查", "zh"),
            ("Принимаю Lipitor", "ru"),
            ("Please ask 김민지 about the appointment", "en"),
            ("ＭＲＩ検査", "ja"),
        ] {
            assert!(may_be_in(text, language), "{text}");
        }
        for (text, language) in [
            ("Please ask 김민지 about the MRI appointment", "ko"),
            ("My name is 김민지", "ko"),
            ("The word for hospital is 病院", "ja"),
            ("PLEASE HELP ME NOW", "ko"),
            ("MRI", "ko"),
        ] {
            assert!(!may_be_in(text, language), "{text}");
        }
    }

    #[test]
    fn texts_without_letters_may_be_in_any_language() {
        for text in ["", "👍", "38.5", "12:30 ~ 13:00", "https://clinic.example/a", "ー"] {
            for language in ["ko", "ja", "zh", "en", "ar", "xx"] {
                assert!(may_be_in(text, language), "{text} {language}");
            }
        }
    }

    #[test]
    fn a_word_has_about_the_same_weight_in_every_script() {
        for (text, expected) in [("手術", 6), ("수술", 4), ("Operation", 9), ("операция", 8), ("38.5 👍", 0)]
        {
            assert_eq!(weight(text), expected, "{text}");
        }
    }
}
