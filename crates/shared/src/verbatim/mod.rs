//! What of a text no translation may touch: addresses, doses, placeholders and emoji stay as they are, and numbers that identify a
//! person are not even shown to who translates.

mod sheet;

pub use sheet::Sheet;

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
    Shown,
    /// Identifies a person: replaced by a mark.
    Hidden,
}

/// One pattern, and whether what it matches (at a place in the whole text) really is what it looks for.
struct Pattern {
    regex: Regex,
    kind: Kind,
    is_one: fn(text: &str, found: &str, end: usize) -> bool,
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and every test reads them")]
static PATTERNS: LazyLock<[Pattern; 7]> = LazyLock::new(|| {
    let pattern = |kind, regex, is_one| Pattern { regex: Regex::new(regex).expect("a valid pattern"), kind, is_one };
    let always = |_: &str, _: &str, _: usize| true;
    [
        // Only the letters that addresses have: a Korean particle follows without a space.
        pattern(Kind::Shown, r"(?i)(?:https?://|www\.)[a-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*[a-z0-9_~/=&%#-]", always),
        pattern(Kind::Shown, r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", always),
        pattern(Kind::Shown, r"\{\{[^{}\n]{1,40}\}\}|\{[A-Za-z0-9_.]{1,40}\}|%[sd@]|</?[A-Za-z][^<>\n]{0,60}>", always),
        // Passports, and the identity cards that have letters.
        pattern(Kind::Hidden, r"[A-Za-z]{1,2}[0-9]{6,9}[A-Za-z]?", always),
        // Telephone, card, social security and insurance numbers of any country are eight digits and more, in groups.
        pattern(Kind::Hidden, r"[+＋]?[(（]?[0-9０-９](?:[ \t.()（）－–‐/-]{0,2}[0-9０-９]){7,}[XxＸ]?", is_no_date),
        pattern(
            Kind::Shown,
            r"[0-9０-９]+(?:[.,．，:/~〜–-][0-9０-９]+)*[ \u{a0}]?(?:mg/kg|mg/dL|mmol/L|mmHg|mEq|mmol|mcg|mg|µg|μg|ug|ng|kg|mL|ml|mℓ|cc|dL|dl|IU|kcal|cm|mm|㎎|㎖|㎝|㎜|㎏|%|％|℃|℉|°C|°F|g|L|m)",
            ends_a_word,
        ),
        pattern(
            Kind::Shown,
            r"(?:[#*0-9]\u{fe0f}?\u{20e3}|[\u{1f000}-\u{1faff}\u{2600}-\u{27bf}\u{2b00}-\u{2bff}\u{2300}-\u{23ff}\u{2190}-\u{21ff}][\u{1f000}-\u{1faff}\u{2600}-\u{27bf}\u{2b00}-\u{2bff}\u{2300}-\u{23ff}\u{fe0f}\u{200d}\u{20e3}\u{e0020}-\u{e007f}]*)",
            always,
        ),
    ]
});

/// A calendar date has eight digits too, and says nothing about who somebody is.
fn is_no_date(_: &str, found: &str, _: usize) -> bool {
    static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:19|20)[0-9]{2}[-./ ]{1,2}[01]?[0-9][-./ ]{1,2}[0-3]?[0-9](?:[ ]{1,2}[0-2]?[0-9])?$").ok()
    });
    !DATE.as_ref().is_some_and(|date| date.is_match(found))
}

/// `5 m` is a length, `5 months` is not.
fn ends_a_word(text: &str, _: &str, end: usize) -> bool {
    !text[end..].starts_with(|letter: char| letter.is_ascii_alphanumeric())
}

/// The parts that stay, in order, none within another.
fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for Pattern { regex, kind, is_one } in &*PATTERNS {
        for found in regex.find_iter(text) {
            let apart = |span: &Span| found.end() <= span.start || span.end <= found.start();
            if is_one(text, found.as_str(), found.end()) && spans.iter().all(apart) {
                spans.push(Span { start: found.start(), end: found.end(), kind: *kind });
            }
        }
    }
    spans.sort_unstable_by_key(|span| span.start);
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
pub fn without_numbers_of_persons(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans(text).into_iter().filter(|span| span.kind == Kind::Hidden) {
        shown.push_str(&text[from..span.start]);
        shown.push('…');
        from = span.end;
    }
    shown.push_str(&text[from..]);
    shown
}

#[cfg(test)]
mod tests;
