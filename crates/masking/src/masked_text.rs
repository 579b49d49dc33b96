//! What is sent for translation, and how it is put together again.

use super::{Kind, has_words, spans};

/// A text made ready to be sent away for translation, line by line, and put together again from what comes back. Lines, and
/// the spaces around them, are the text's own: a translation cannot lose a line break that it never saw.
#[derive(Debug, Clone)]
pub struct MaskedText {
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

impl MaskedText {
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
    pub fn has_markup(&self) -> bool {
        let marked = |line: &Line| match line {
            Line::Kept(_) => false,
            Line::Sent { parts, .. } => parts.iter().any(|part| matches!(part, Part::Span { .. })),
        };
        self.lines.iter().any(marked)
    }

    /// What is to be sent: one text for each line that has words. As XML, spans are elements `x` (nothing inside may be
    /// translated), which hold their text or, where it is hidden, nothing.
    pub fn segments(&self, xml: bool) -> Vec<String> {
        let text = |line: &Line| match line {
            Line::Kept(_) => None,
            Line::Sent { parts, .. } => {
                let mut text = String::new();
                for (id, part) in parts.iter().enumerate() {
                    match part {
                        Part::Words(words) if xml => text.push_str(&escape(words)),
                        Part::Words(words) => text.push_str(words),
                        Part::Span { kind: Kind::Redacted, .. } => text.push_str(&format!(r#"<x id="{id}"/>"#)),
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

    /// The whole text again, with the translations of [`MaskedText::segments`] in their places. `None` where a translation lost a span
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
        let kind = if hides { span.kind } else { Kind::Protected };
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
