//! What of a text no translation may touch: addresses, doses, placeholders and emoji stay as they are, and numbers that identify a
//! person are not even shown to who translates.

mod glyph;
mod identity;
mod masked_text;
mod number;

pub use masked_text::MaskedText;

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// A part of a text that stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Seen by the translator, who needs it for the grammar around it.
    Protected,
    /// Identifies a person: replaced by a mark.
    Redacted,
}

/// One pattern, and whether what it matches (at a place in the whole text) really is what it looks for.
struct Pattern {
    regex: Regex,
    is_one: fn(text: &str, found: Range<usize>) -> bool,
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and every test reads them")]
static PATTERNS: LazyLock<[Pattern; 5]> = LazyLock::new(|| {
    let pattern = |regex, is_one| Pattern { regex: Regex::new(regex).expect("a valid pattern"), is_one };
    let always = |_: &str, _: Range<usize>| true;
    [
        // Only the letters that addresses have: a Korean particle follows without a space.
        pattern(r"(?i)(?:https?://|www\.)[a-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*[a-z0-9_~/=&%#-]", always),
        pattern(r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", always),
        pattern(r"\{\{[^{}\n]{1,40}\}\}|\{[A-Za-z0-9_.]{1,40}\}|</?[A-Za-z][^<>\n]{0,60}>", always),
        pattern(r"%[sd@]", is_placeholder),
        pattern(
            r"(?:[#*0-9]\u{fe0f}?\u{20e3}|[\u{1f000}-\u{1faff}\u{2600}-\u{27bf}\u{2b00}-\u{2bff}\u{2300}-\u{23ff}\u{2190}-\u{21ff}][\u{1f000}-\u{1faff}\u{2600}-\u{27bf}\u{2b00}-\u{2bff}\u{2300}-\u{23ff}\u{fe0f}\u{200d}\u{20e3}\u{e0020}-\u{e007f}]*)",
            always,
        ),
    ]
});

/// In `0.9%saline` it is a unit and the beginning of a word.
fn is_placeholder(text: &str, found: Range<usize>) -> bool {
    let is_behind_a_number = text[..found.start].trim_end_matches(' ').ends_with(char::is_numeric);
    let is_in_a_word = text[found.end..].starts_with(|letter: char| letter.is_ascii_alphabetic());
    !is_behind_a_number && !is_in_a_word
}

/// The parts that stay, in order, none within another. What has a hidden part is hidden as a whole.
fn spans(text: &str) -> Vec<Span> {
    let glyphs = glyph::glyphs(text);
    let measures = number::measures(&glyphs);
    let numbers = identity::numbers(&glyphs, &measures);
    let at = |range: &Range<usize>, kind| {
        let Range { start, end } = glyph::bytes(&glyphs, range);
        Span { start, end, kind }
    };
    let mut found: Vec<Span> = numbers.iter().map(|number| at(number, Kind::Redacted)).collect();
    found.extend(measures.iter().map(|measure| at(&measure.range, Kind::Protected)));
    for Pattern { regex, is_one } in &*PATTERNS {
        let matches = regex.find_iter(text).filter(|found| is_one(text, found.range()));
        found.extend(matches.map(|found| Span { start: found.start(), end: found.end(), kind: Kind::Protected }));
    }
    found.sort_unstable_by_key(|span| span.start);
    let mut spans: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        match spans.last_mut() {
            Some(last) if span.start < last.end => {
                last.end = last.end.max(span.end);
                if span.kind == Kind::Redacted {
                    last.kind = Kind::Redacted;
                }
            }
            _ => spans.push(span),
        }
    }
    spans
}

/// Whether there is anything in a text to translate: a letter outside of what stays as it is.
pub fn has_words(text: &str) -> bool {
    let mut from = 0;
    let words = |part: &str| part.chars().any(char::is_alphabetic);
    for span in spans(text) {
        if words(&text[from..span.start]) {
            return true;
        }
        from = span.end;
    }
    words(&text[from..])
}

/// A text as another may read it for the sense alone: what identifies a person is left out.
pub fn redact_personal_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans(text).into_iter().filter(|span| span.kind == Kind::Redacted) {
        shown.push_str(&text[from..span.start]);
        shown.push('…');
        from = span.end;
    }
    shown.push_str(&text[from..]);
    shown
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
