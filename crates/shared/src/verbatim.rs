//! What of a text no translation may touch: addresses, doses, placeholders and emoji stay as they are, and numbers that identify a
//! person are not even shown to who translates.

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

/// A text made ready to be sent away for translation, line by line, and put together again from what comes back. Lines, and
/// the spaces around them, are the text's own: a translation cannot lose a line break that it never saw.
#[derive(Debug, Clone)]
pub struct Sheet {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
enum Line {
    /// Stays as it is.
    Kept(String),
    /// Is translated, but for its spaces at both ends and its spans.
    Sent { before: String, parts: Vec<Part>, after: String },
}

#[derive(Debug, Clone)]
enum Part {
    Words(String),
    Span { text: String, kind: Kind },
}

impl Sheet {
    /// Takes a text apart. With `hides`, what identifies a person is not sent; without, it is sent like a dose.
    pub fn new(text: &str, hides: bool) -> Self {
        let line = |line: &str| {
            if !has_words(line) {
                return Line::Kept(line.to_owned());
            }
            let trimmed = line.trim();
            let start = line.len() - line.trim_start().len();
            let (before, after) = (line[..start].to_owned(), line[start + trimmed.len()..].to_owned());
            Line::Sent { before, parts: parts(trimmed, hides), after }
        };
        Self { lines: text.split('\n').map(line).collect() }
    }

    /// Whether something in it has to be marked, so that its texts are XML.
    pub fn is_marked(&self) -> bool {
        let marked = |line: &Line| match line {
            Line::Kept(_) => false,
            Line::Sent { parts, .. } => parts.iter().any(|part| matches!(part, Part::Span { .. })),
        };
        self.lines.iter().any(marked)
    }

    /// What is to be sent: one text for each line that has words. As XML, spans are elements `x` (nothing inside may be
    /// translated), which hold their text or, where it is hidden, nothing.
    pub fn texts(&self, xml: bool) -> Vec<String> {
        let text = |line: &Line| match line {
            Line::Kept(_) => None,
            Line::Sent { parts, .. } => {
                let mut text = String::new();
                for (id, part) in parts.iter().enumerate() {
                    match part {
                        Part::Words(words) if xml => text.push_str(&escape(words)),
                        Part::Words(words) => text.push_str(words),
                        Part::Span { kind: Kind::Hidden, .. } => text.push_str(&format!(r#"<x id="{id}"/>"#)),
                        Part::Span { text: kept, .. } => {
                            text.push_str(&format!(r#"<x id="{id}">{}</x>"#, escape(kept)));
                        }
                    }
                }
                Some(text)
            }
        };
        self.lines.iter().filter_map(text).collect()
    }

    /// The whole text again, with the translations of [`Sheet::texts`] in their places. `None` where a translation lost a span
    /// or made two of it: then it says something else than the text did.
    pub fn restore(&self, mut translated: impl Iterator<Item = String>, xml: bool) -> Option<String> {
        let line = |line: &Line| match line {
            Line::Kept(line) => Some(line.clone()),
            Line::Sent { before, parts, after } => {
                let text = translated.next()?;
                // One line was sent, so one comes back, whatever the translator thinks of layout.
                let text = text.trim().replace(['\n', '\r'], " ");
                let text = if xml { refill(&text, parts)? } else { text };
                Some(format!("{before}{text}{after}"))
            }
        };
        Some(self.lines.iter().map(line).collect::<Option<Vec<_>>>()?.join("\n"))
    }
}

fn parts(line: &str, hides: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut from = 0;
    for span in spans(line) {
        if from < span.start {
            parts.push(Part::Words(line[from..span.start].to_owned()));
        }
        let kind = if hides { span.kind } else { Kind::Shown };
        parts.push(Part::Span { text: line[span.start..span.end].to_owned(), kind });
        from = span.end;
    }
    if from < line.len() {
        parts.push(Part::Words(line[from..].to_owned()));
    }
    parts
}

/// Puts the spans back where their elements came to stand.
fn refill(translated: &str, parts: &[Part]) -> Option<String> {
    let mut text = String::with_capacity(translated.len());
    let mut missing: Vec<usize> =
        parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::Span { .. })).map(|(id, _)| id).collect();
    let mut rest = translated;
    while let Some((before, element)) = rest.split_once("<x") {
        text.push_str(&unescape(before));
        let (tag, behind) = element.split_once('>')?;
        let id: usize = tag.split('"').nth(1)?.parse().ok()?;
        missing.remove(missing.iter().position(|one| *one == id)?);
        if let Some(Part::Span { text: kept, .. }) = parts.get(id) {
            text.push_str(kept);
        }
        rest = if tag.ends_with('/') { behind } else { behind.split_once("</x>")?.1 };
    }
    text.push_str(&unescape(rest));
    missing.is_empty().then_some(text)
}

/// XML has no control characters, not even escaped ones, and DeepL parses it strictly.
fn escape(text: &str) -> String {
    let text = text.replace(|letter: char| letter.is_control() && letter != '\t', " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests;
