//! Splits a text into the segments to translate, and restores it from their translations.

use std::ops::Range;

use super::entities::decode;
use super::language::weight;
use super::normalized::is_line_break;
use super::numerals::keeps_numbers;
use super::{Kind, Span, spans};

/// A text prepared for translation line by line. Line breaks and the spaces around lines are never sent, so a
/// translation cannot lose them.
#[derive(Debug, Clone)]
pub struct MaskedText {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
enum Line {
    /// Has no words.
    Verbatim(String),
    /// `indent` and `trailing` are the spaces around the line, and its line break.
    Translatable { indent: String, parts: Vec<Part>, trailing: String },
}

#[derive(Debug, Clone)]
enum Part {
    Words(String),
    Span { text: String, kind: Kind },
}

impl MaskedText {
    /// With `redact`, personal numbers are redacted; without, they are protected like doses.
    pub fn new(text: &str, redact: bool) -> Self {
        let spans = spans(text);
        let mut rest = spans.as_slice();
        let mut end = 0;
        let line = |line: &str| {
            let start = end;
            end += line.len();
            // A span may extend over several lines.
            rest = &rest[rest.iter().take_while(|span| span.end <= start).count()..];
            Line::new(text, start..end, rest, redact)
        };
        Self { lines: text.split_inclusive(is_line_break).map(line).collect() }
    }

    /// Whether the text has spans, so that its segments have to be XML.
    pub fn has_markup(&self) -> bool {
        let has_span = |line: &Line| match line {
            Line::Verbatim(_) => false,
            Line::Translatable { parts, .. } => parts.iter().any(|part| matches!(part, Part::Span { .. })),
        };
        self.lines.iter().any(has_span)
    }

    /// The [`weight`] of the words of the longest line.
    pub fn longest_line(&self) -> usize {
        let words = |part: &Part| match part {
            Part::Words(words) => weight(words),
            Part::Span { .. } => 0,
        };
        let line = |line: &Line| match line {
            Line::Verbatim(_) => 0,
            Line::Translatable { parts, .. } => parts.iter().map(words).sum(),
        };
        self.lines.iter().map(line).max().unwrap_or(0)
    }

    /// The segments to translate, one for each line that has words. In XML, a span is an element `x`, whose content the
    /// translator leaves as it is; a redacted span is an empty one.
    pub fn segments(&self, xml: bool) -> Vec<String> {
        let segment = |line: &Line| match line {
            Line::Verbatim(_) => None,
            Line::Translatable { parts, .. } => Some(segment(parts, xml)),
        };
        self.lines.iter().filter_map(segment).collect()
    }

    /// Restores the text from the translations of its [`segments`](Self::segments). `None` if a translation lost or
    /// duplicated a span, or has other numbers, and thus changed the meaning.
    pub fn restore(&self, mut translated: impl Iterator<Item = String>, xml: bool) -> Option<String> {
        let line = |line: &Line| match line {
            Line::Verbatim(line) => Some(line.clone()),
            Line::Translatable { indent, parts, trailing } => {
                let restored = Restored::new(translated.next()?.trim(), parts, xml)?;
                let words = parts.iter().map(|part| match part {
                    Part::Words(words) => words.as_str(),
                    Part::Span { .. } => Restored::SPAN,
                });
                // The translation of one line is one line, even if the translator breaks it.
                let text = restored.text.replace(is_line_break, " ");
                keeps_numbers(&words.collect::<String>(), &restored.words).then(|| format!("{indent}{text}{trailing}"))
            }
        };
        self.lines.iter().map(line).collect()
    }
}

impl Line {
    /// The line at `range` of a text with these spans, the first of which may have started earlier.
    fn new(text: &str, range: Range<usize>, spans: &[Span], redact: bool) -> Self {
        let line = &text[range.clone()];
        let start = range.end - line.trim_start().len();
        let end = range.start + line.trim_end().len();
        let mut parts = Vec::new();
        let mut from = start;
        for span in spans.iter().take_while(|span| span.start < end) {
            let (span_start, span_end) = (span.start.max(start), span.end.min(end));
            if span_start >= span_end {
                continue;
            }
            if from < span_start {
                parts.push(Part::Words(text[from..span_start].to_owned()));
            }
            let kind = if redact { span.kind } else { Kind::Protected };
            parts.push(Part::Span { text: text[span_start..span_end].to_owned(), kind });
            from = span_end;
        }
        if from < end {
            parts.push(Part::Words(text[from..end].to_owned()));
        }
        let has_words = |part: &Part| matches!(part, Part::Words(words) if words.contains(char::is_alphabetic));
        if parts.iter().any(has_words) {
            let indent = text[range.start..start].to_owned();
            Self::Translatable { indent, parts, trailing: text[end..range.end].to_owned() }
        } else {
            Self::Verbatim(line.to_owned())
        }
    }
}

fn segment(parts: &[Part], xml: bool) -> String {
    let mut segment = String::new();
    for (id, part) in parts.iter().enumerate() {
        match part {
            Part::Words(words) if xml => segment.push_str(&escape(words)),
            Part::Words(words) => segment.push_str(words),
            Part::Span { kind: Kind::Redacted, .. } => segment.push_str(&format!(r#"<x id="{id}"/>"#)),
            Part::Span { kind: Kind::Protected, text } => {
                segment.push_str(&format!(r#"<x id="{id}">{}</x>"#, escape(text)));
            }
        }
    }
    segment
}

/// The translation of a line.
struct Restored {
    text: String,
    /// The text without its spans.
    words: String,
}

impl Restored {
    /// Stands for a span between words.
    const SPAN: &str = " | ";

    /// Replaces each element with its span. `None` unless every span occurs exactly once.
    fn new(translated: &str, parts: &[Part], xml: bool) -> Option<Self> {
        let mut restored = Self { text: String::with_capacity(translated.len()), words: String::new() };
        if !xml {
            restored.push_words(translated, parts);
            return Some(restored);
        }
        let is_span = |(_, part): &(usize, &Part)| matches!(part, Part::Span { .. });
        let mut missing: Vec<usize> = parts.iter().enumerate().filter(is_span).map(|(id, _)| id).collect();
        let mut rest = translated;
        while let Some((before, element)) = rest.split_once("<x") {
            restored.push_words(&decode(before, |_| false), parts);
            let (tag, after) = element.split_once('>')?;
            let id: usize = tag.split('"').nth(1)?.parse().ok()?;
            missing.remove(missing.iter().position(|missing| *missing == id)?);
            if let Some(Part::Span { text: original, .. }) = parts.get(id) {
                restored.text.push_str(original);
                restored.words.push_str(Self::SPAN);
            }
            rest = if tag.ends_with('/') { after } else { after.split_once("</x>")?.1 };
        }
        restored.push_words(&decode(rest, |_| false), parts);
        missing.is_empty().then_some(restored)
    }

    /// Adds words of the translator, which may have character references of its own. Those of the original stay.
    fn push_words(&mut self, words: &str, parts: &[Part]) {
        let is_original = |reference: &str| {
            parts.iter().any(|part| match part {
                Part::Words(text) | Part::Span { text, .. } => text.contains(reference),
            })
        };
        let words = decode(words, is_original);
        self.text.push_str(&words);
        self.words.push_str(&words);
    }
}

/// Replaces control characters as well: XML does not allow them even escaped, and DeepL parses strictly.
fn escape(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control() && c != '\t', " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
