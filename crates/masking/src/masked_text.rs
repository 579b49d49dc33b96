//! Splits a text into the segments to translate, and restores it from their translations.

use super::{Kind, has_words, spans};

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
    /// `indent` and `trailing` are the spaces around the line.
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
        let line = |line: &str| {
            if !has_words(line) {
                return Line::Verbatim(line.to_owned());
            }
            let trimmed = line.trim();
            let start = line.len() - line.trim_start().len();
            let indent = line[..start].to_owned();
            let trailing = line[start + trimmed.len()..].to_owned();
            Line::Translatable { indent, parts: parts(trimmed, redact), trailing }
        };
        Self { lines: text.split('\n').map(line).collect() }
    }

    /// Whether the text has spans, so that its segments have to be XML.
    pub fn has_markup(&self) -> bool {
        let has_span = |line: &Line| match line {
            Line::Verbatim(_) => false,
            Line::Translatable { parts, .. } => parts.iter().any(|part| matches!(part, Part::Span { .. })),
        };
        self.lines.iter().any(has_span)
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
    /// duplicated a span and thus changed the meaning.
    pub fn restore(&self, mut translated: impl Iterator<Item = String>, xml: bool) -> Option<String> {
        let line = |line: &Line| match line {
            Line::Verbatim(line) => Some(line.clone()),
            Line::Translatable { indent, parts, trailing } => {
                let text = translated.next()?;
                // The translation of one line is one line, even if the translator breaks it.
                let text = text.trim().replace(['\n', '\r'], " ");
                let text = if xml { restore_spans(&text, parts)? } else { text };
                Some(format!("{indent}{text}{trailing}"))
            }
        };
        Some(self.lines.iter().map(line).collect::<Option<Vec<_>>>()?.join("\n"))
    }
}

fn parts(line: &str, redact: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut from = 0;
    for span in spans(line) {
        if from < span.start {
            parts.push(Part::Words(line[from..span.start].to_owned()));
        }
        let kind = if redact { span.kind } else { Kind::Protected };
        parts.push(Part::Span { text: line[span.start..span.end].to_owned(), kind });
        from = span.end;
    }
    if from < line.len() {
        parts.push(Part::Words(line[from..].to_owned()));
    }
    parts
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

/// Replaces each element with its span. `None` unless every span occurs exactly once.
fn restore_spans(translated: &str, parts: &[Part]) -> Option<String> {
    let mut text = String::with_capacity(translated.len());
    let mut missing: Vec<usize> =
        parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::Span { .. })).map(|(id, _)| id).collect();
    let mut rest = translated;
    while let Some((before, element)) = rest.split_once("<x") {
        text.push_str(&unescape(before));
        let (tag, after) = element.split_once('>')?;
        let id: usize = tag.split('"').nth(1)?.parse().ok()?;
        missing.remove(missing.iter().position(|missing| *missing == id)?);
        if let Some(Part::Span { text: original, .. }) = parts.get(id) {
            text.push_str(original);
        }
        rest = if tag.ends_with('/') { after } else { after.split_once("</x>")?.1 };
    }
    text.push_str(&unescape(rest));
    missing.is_empty().then_some(text)
}

/// Replaces control characters as well: XML does not allow them even escaped, and DeepL parses strictly.
fn escape(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control() && c != '\t', " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&#39;", "'").replace("&amp;", "&")
}
