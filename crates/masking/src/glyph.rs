//! A text as it is meant, whatever keyboard it was typed on: full width, Arabic digits, and the dozen dashes and spaces of Unicode read
//! like their plain brothers, and what is invisible is not there.

use std::ops::Range;

/// A character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    /// Where it stands, in bytes.
    at: usize,
    /// As it stands there.
    pub(super) written: char,
    /// As which it is read.
    pub(super) read: char,
}

impl Glyph {
    pub(super) fn is_digit(self) -> bool {
        self.read.is_ascii_digit()
    }

    /// Whether a word in Latin letters, such as a unit, would go on with it. Writing without spaces between words begins anew: `500mg을`.
    pub(super) fn goes_on(self) -> bool {
        let mark = matches!(self.written,
            '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}');
        // Thai and Lao, Burmese, Hangul, Khmer, and all that is written in kana and Han.
        let apart = matches!(self.written,
            '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{a4cf}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}');
        mark || self.is_digit() || (self.written.is_alphanumeric() && !apart)
    }
}

/// The visible characters of a text.
pub(super) fn glyphs(text: &str) -> Vec<Glyph> {
    let glyph = |(at, written)| Some(Glyph { at, written, read: read(written)? });
    text.char_indices().filter_map(glyph).collect()
}

/// Where in the text some of its glyphs stand.
pub(super) fn bytes(glyphs: &[Glyph], of: &Range<usize>) -> Range<usize> {
    let end = glyphs[..of.end].last().map_or(0, |last| last.at + last.written.len_utf8());
    glyphs.get(of.start).map_or(end, |first| first.at)..end
}

fn read(written: char) -> Option<char> {
    Some(match written {
        ' '..='~' => written,
        // Soft hyphens, the marks of writing direction that telephones copy along with a number, and what makes a digit a key.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{20e3}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => return None,
        '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        // The long vowel of kana too: it is next to the digits on a Japanese keyboard.
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | 'ー' | 'ｰ' => '-',
        '〜' | '\u{223c}' | '\u{2053}' => '~',
        '‘' | '’' | '\u{2bc}' => '\'',
        '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '・' | '･' => '·',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2236}' => ':',
        '\u{66b}' | '\u{66c}' => ',',
        '\u{66a}' | '\u{fe6a}' => '%',
        'º' | '˚' => '°',
        'μ' => 'µ',
        'ℓ' => 'l',
        _ => digit(written).unwrap_or_else(|| wide(written)),
    })
}

fn wide(written: char) -> char {
    let is_wide = ('\u{ff01}'..='\u{ff5e}').contains(&written);
    if is_wide { char::from_u32(u32::from(written) - 0xfee0).unwrap_or(written) } else { written }
}

/// The decimal digits of Unicode 17 (`Nd`) stand in rows of ten; these are their zeros. The standard library does not tell values.
const ZEROS: [u32; 76] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0,
    0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

fn digit(written: char) -> Option<char> {
    let at = u32::from(written);
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= at)].last()?;
    char::from_digit(at - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_digits_reads_from_zero_to_nine() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            let row: Vec<char> = (zero..zero + 10).filter_map(char::from_u32).collect();
            assert!(row.iter().all(|one| one.is_numeric()), "{zero:x}");
            assert_eq!(row.iter().filter_map(|one| read(*one)).collect::<String>(), "0123456789", "{zero:x}");
        }
    }
}
