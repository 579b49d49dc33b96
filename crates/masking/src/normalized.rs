//! A text independent of the keyboard that it was typed on: full-width characters, digits of other scripts, and
//! Unicode's dozen dashes and spaces become their ASCII equivalents, and invisible characters are dropped.

use std::ops::Range;

use icu_properties::CodePointSetData;
use icu_properties::props::{Dash, DefaultIgnorableCodePoint};

#[derive(Debug, Clone, Copy)]
pub(super) struct NormalizedChar {
    /// In bytes.
    offset: usize,
    pub(super) original: char,
    pub(super) normalized: char,
}

impl NormalizedChar {
    pub(super) fn is_digit(self) -> bool {
        self.normalized.is_ascii_digit()
    }

    /// Whether the character continues a preceding word in Latin letters, such as a unit. Scripts that attach to it
    /// without a space start a new word, as in `500mg을`.
    pub(super) fn continues_word(self) -> bool {
        let is_combining_mark = matches!(
            self.original,
            '\u{300}'..='\u{36f}'
                | '\u{483}'..='\u{489}'
                | '\u{1ab0}'..='\u{1aff}'
                | '\u{1dc0}'..='\u{1dff}'
                | '\u{20d0}'..='\u{20ff}'
                | '\u{fe20}'..='\u{fe2f}'
        );
        // Thai and Lao, Burmese, Hangul, Khmer, kana and Han.
        let starts_word = matches!(
            self.original,
            '\u{e00}'..='\u{eff}'
                | '\u{1000}'..='\u{109f}'
                | '\u{1100}'..='\u{11ff}'
                | '\u{1780}'..='\u{17ff}'
                | '\u{2e80}'..='\u{a4cf}'
                | '\u{a960}'..='\u{a97f}'
                | '\u{ac00}'..='\u{d7ff}'
                | '\u{f900}'..='\u{faff}'
                | '\u{ff66}'..='\u{ffdc}'
                | '\u{20000}'..='\u{3ffff}'
        );
        is_combining_mark || self.is_digit() || (self.original.is_alphanumeric() && !starts_word)
    }
}

/// The visible characters of a text.
pub(super) fn normalize(text: &str) -> Vec<NormalizedChar> {
    let char_at = |(offset, original)| Some(NormalizedChar { offset, original, normalized: normalize_char(original)? });
    text.char_indices().filter_map(char_at).collect()
}

/// The bytes of the text that a range of its characters covers.
pub(super) fn byte_range(chars: &[NormalizedChar], range: &Range<usize>) -> Range<usize> {
    let end = chars[..range.end].last().map_or(0, |last| last.offset + last.original.len_utf8());
    chars.get(range.start).map_or(end, |first| first.offset)..end
}

/// A line break in any notation; `\r\n` is two.
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `None` for an invisible character.
fn normalize_char(original: char) -> Option<char> {
    Some(match original {
        ' '..='~' => original,
        _ if is_line_break(original) => '\n',
        // Direction marks (telephones copy them along with a number), soft hyphens, fillers; and the enclosing keycap.
        '\u{20e3}' => return None,
        _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(original) => return None,
        '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '〜' | '\u{223c}' | '\u{2053}' => '~',
        // Letters that stand for a dash: the long vowel mark of kana and a Korean vowel.
        'ー' | 'ｰ' | 'ㅡ' | 'ᅳ' | '\u{2043}' | '\u{2500}' | '\u{2501}' | '\u{2796}' => '-',
        _ if CodePointSetData::new::<Dash>().contains(original) => '-',
        '‘' | '’' | '\u{2bc}' => '\'',
        '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '・' | '･' => '·',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2236}' => ':',
        '\u{66b}' | '\u{66c}' => ',',
        '\u{66a}' | '\u{fe6a}' => '%',
        'º' | '˚' => '°',
        'μ' => 'µ',
        'ℓ' => 'l',
        _ => digit(original).unwrap_or_else(|| half_width(original)),
    })
}

fn half_width(original: char) -> char {
    let is_full_width = ('\u{ff01}'..='\u{ff5e}').contains(&original);
    if is_full_width { char::from_u32(u32::from(original) - 0xfee0).unwrap_or(original) } else { original }
}

/// The zeros of Unicode 17's decimal digits (`Nd`), which come in runs of ten. The standard library has no values of
/// digits.
const ZEROS: [u32; 76] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0,
    0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

fn digit(original: char) -> Option<char> {
    let code = u32::from(original);
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    char::from_digit(code - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_has_ten_digits() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            let digits: Vec<char> = (zero..zero + 10).filter_map(char::from_u32).collect();
            assert!(digits.iter().all(|digit| digit.is_numeric()), "{zero:x}");
            let normalized: String = digits.iter().copied().filter_map(normalize_char).collect();
            assert_eq!(normalized, "0123456789", "{zero:x}");
        }
    }
}
