//! Masks what machine translation must not change or must not see. Addresses, doses, placeholders and emoji are
//! protected: the translator sees them and leaves them as they are. Numbers that identify a person are redacted: the
//! translator never gets them.

mod digit_run;
mod entities;
mod known_numbers;
mod language;
mod masked_text;
mod measure;
mod normalized;
mod number_words;
mod numerals;
mod personal_number;
mod script;
mod web_address;

pub use language::{may_be_in, weight};
pub use masked_text::MaskedText;

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// A part of a text that is not translated, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sent along, because the grammar around it depends on it.
    Protected,
    /// Identifies a person; an empty element is sent in its place.
    Redacted,
}

struct Pattern {
    regex: Regex,
    /// Rejects matches by the text around them.
    accepts: fn(text: &str, found: Range<usize>) -> bool,
}

/// A tag is an HTML element by its name, or has the form of one: it is closing, empty, has attributes, or has a name
/// that is not a word. Everything else in angle brackets is text.
const TAG: &str = concat!(
    r"</?(?i:a|b|br|code|del|div|em|font|h[1-6]|hr|i|img|ins|li|ol|p|pre|s|span|strong|sub|sup|td|th|tr|u|ul)\s*/?>",
    r"|<[A-Za-z][A-Za-z0-9:_-]{0,40}(?:\s+[A-Za-z_:][A-Za-z0-9_:.-]{0,40}\s*=\s*",
    r#"(?:"[^"<>\n]{0,200}"|'[^'<>\n]{0,200}'|[^\s"'<>=]{1,200}))+\s*/?>"#,
    r"|</[A-Za-z][A-Za-z0-9:_-]{0,40}\s*>|<[A-Za-z][A-Za-z0-9:_-]{0,40}\s*/>|<[A-Za-z]+[0-9_][A-Za-z0-9_]{0,40}>",
);

#[expect(clippy::expect_used, reason = "the patterns are constants that every test compiles")]
static PATTERNS: LazyLock<[Pattern; 6]> = LazyLock::new(|| {
    let pattern = |regex, accepts| Pattern { regex: Regex::new(regex).expect("a valid pattern"), accepts };
    let always = |_: &str, _: Range<usize>| true;
    [
        pattern(r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", always),
        pattern(
            r"\{\{ ?[A-Za-z0-9_.#/^&>-]{1,40} ?\}\}|\{\{ ?[A-Za-z_][A-Za-z0-9_.]{0,40} ?\|[^{}\n]{1,40}\}\}",
            always,
        ),
        pattern(r"\{[A-Za-z0-9_.]{1,40}\}", always),
        pattern(TAG, always),
        pattern(r"%[sd@]", is_placeholder),
        pattern(
            concat!(
                r"(?:[#*0-9]\u{fe0f}?\u{20e3}",
                r"|[\u{1f000}-\u{1faff}\u{2600}-\u{27bf}\u{2b00}-\u{2bff}\u{2300}-\u{23ff}\u{2190}-\u{21ff}]",
                r"[\u{1f000}-\u{1faff}\u{2600}-\u{27bf}\u{2b00}-\u{2bff}\u{2300}-\u{23ff}",
                r"\u{fe0f}\u{200d}\u{20e3}\u{e0020}-\u{e007f}]*)",
            ),
            always,
        ),
    ]
});

/// In `0.9%saline`, `%s` is a unit and the start of a word.
fn is_placeholder(text: &str, found: Range<usize>) -> bool {
    let follows_number = text[..found.start].trim_end_matches(' ').ends_with(char::is_numeric);
    let starts_word = text[found.end..].starts_with(|c: char| c.is_ascii_alphabetic());
    !follows_number && !starts_word
}

/// The spans of a text in order. Overlapping spans are merged, and the result is redacted if one of them is.
fn spans(text: &str) -> Vec<Span> {
    let chars = normalized::normalize(text);
    let measures = measure::find(&chars);
    let numbers = personal_number::find(&chars, &measures);
    let span = |range: &Range<usize>, kind| {
        let Range { start, end } = normalized::byte_range(&chars, range);
        Span { start, end, kind }
    };
    let mut found: Vec<Span> = numbers.iter().map(|number| span(number, Kind::Redacted)).collect();
    found.extend(measures.iter().map(|measure| span(&measure.range, Kind::Protected)));
    let protected = |range: Range<usize>| Span { start: range.start, end: range.end, kind: Kind::Protected };
    found.extend(web_address::find(text).into_iter().map(protected));
    for Pattern { regex, accepts } in &*PATTERNS {
        let matches = regex.find_iter(text).filter(|found| accepts(text, found.range()));
        found.extend(matches.map(|found| protected(found.range())));
    }
    found.sort_unstable_by_key(|span| span.start);
    merge(found)
}

fn merge(sorted: Vec<Span>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
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

/// The parts of a text between its spans.
fn outside_of_spans(text: &str) -> impl Iterator<Item = &str> {
    let spans = spans(text);
    let starts = std::iter::once(0).chain(spans.clone().into_iter().map(|span| span.end));
    let ends = spans.into_iter().map(|span| span.start).chain([text.len()]);
    starts.zip(ends).map(|(start, end)| &text[start..end])
}

/// Whether a text has anything to translate: a letter outside of its spans.
pub fn has_words(text: &str) -> bool {
    outside_of_spans(text).any(|part| part.contains(char::is_alphabetic))
}

/// Replaces each personal number with `…`, in a text that is only read for its meaning.
pub fn redact_personal_numbers(text: &str) -> String {
    redact_context(text, "")
}

/// Like [`redact_personal_numbers`], for the lines before a text: a number that continues in the text is redacted too.
pub fn redact_context(context: &str, text: &str) -> String {
    let mut redacted = String::with_capacity(context.len());
    let mut from = 0;
    let spans = spans(&format!("{context}\n{text}"));
    for span in spans.into_iter().filter(|span| span.kind == Kind::Redacted && span.start < context.len()) {
        redacted.push_str(&context[from..span.start]);
        redacted.push('…');
        from = span.end.min(context.len());
    }
    redacted.push_str(&context[from..]);
    redacted
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
