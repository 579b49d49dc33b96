//! What a text looks like: whether there is anything to see, and which texts look the same.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Zero-width characters, bidirectional controls, Hangul fillers, variation selectors …
fn is_ignorable(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// Whether a text shows anything: a character that is neither white space nor invisible.
pub fn is_visible(text: &str) -> bool {
    /// A blank that Unicode classifies as a symbol.
    const BRAILLE_BLANK: char = '\u{2800}';
    let is_invisible = |character: char| {
        character.is_whitespace() || character.is_control() || character == BRAILLE_BLANK || is_ignorable(character)
    };
    !text.chars().all(is_invisible)
}

/// A text as it is compared in searches and when the same sentence is recognized: without differences that do not
/// show, such as composed and decomposed characters, full and half width, and without case. Texts that look different
/// stay different: `10²` is not `102`.
pub fn folded(text: &str) -> String {
    let compatible = ComposingNormalizerBorrowed::new_nfkc();
    let mut folded = String::with_capacity(text.len());
    for part in text.split_inclusive(keeps_its_form) {
        let last = part.chars().next_back().filter(|last| keeps_its_form(*last));
        let rest = &part[..part.len() - last.map_or(0, char::len_utf8)];
        let visible: String = rest.chars().filter(|character| !is_ignorable(*character)).collect();
        // Upper case first: it unites `ß` with `ss`, and the forms of sigma.
        let upper = compatible.normalize(&visible).chars().flat_map(char::to_uppercase).collect::<String>();
        folded.extend(upper.chars().flat_map(char::to_lowercase));
        folded.extend(last);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(&folded).into_owned()
}

/// Superscripts, subscripts, fractions and numbers in circles, whose compatible forms are plain digits.
fn keeps_its_form(character: char) -> bool {
    matches!(
        character,
        '²' | '³' | '¹' | '¼'..='¾' | '\u{2070}'..='\u{209f}' | '\u{2150}'..='\u{215f}' | '\u{2460}'..='\u{249b}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_texts_show_nothing() {
        for text in [
            "",
            " \n\u{3000}\u{a0}",
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}",
            "\u{3164}\u{115f}\u{1160}\u{ffa0}",
            "\u{202e}\u{2066}\u{2069}\u{200e}\u{061c}",
            "\u{2800}",
            "\u{ad}\u{34f}\u{fe0f}",
            "\u{e0020}\u{e007f}",
            "\u{0}\u{7}\u{1b}",
        ] {
            assert!(!is_visible(text), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn joiners_inside_words_stay_visible() {
        for text in ["a", "\u{200b}네", "می\u{200c}خواهم", "क्\u{200d}ष", "👨\u{200d}👩", "❤\u{fe0f}", "\u{301}", "…"]
        {
            assert!(is_visible(text), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn texts_that_look_the_same_are_equal() {
        for (one, other) in [
            ("두통", "\u{1103}\u{116e}\u{1110}\u{1169}\u{11bc}"),
            ("が", "か\u{3099}"),
            ("アレルギー", "ｱﾚﾙｷﾞｰ"),
            ("MRI", "ｍｒｉ"),
            ("37.5", "３７．５"),
            ("STRASSE", "Straße"),
            ("ΟΔΟΣ", "οδος"),
            ("Café", "CAFE\u{301}"),
            ("a b", "a\u{a0}b"),
            ("5㎎", "5mg"),
            ("so\u{ad}ft", "soft"),
            ("ﬁn", "FIN"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
    }

    #[test]
    fn texts_that_look_different_stay_different() {
        for (one, other) in [("10²", "102"), ("1½", "11⁄2"), ("2①", "21"), ("か", "が"), ("H₂", "H2"), ("a", "á")]
        {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }
}
