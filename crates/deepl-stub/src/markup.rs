//! XML in the text of a request, parsed as strictly as DeepL does.
//! <https://developers.deepl.com/docs/xml-and-html-handling/xml>

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A tag, or a whole element that is not translated.
    Markup(&'a str),
    /// Unescaped text between tags.
    Words(String),
}

/// Splits a text; `None` if it is not well-formed.
pub(crate) fn pieces<'a>(text: &'a str, ignored: &[String]) -> Option<Vec<Piece<'a>>> {
    let mut pieces = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    loop {
        let (words, tag) = match rest.find('<') {
            None => (rest, None),
            Some(start) => (&rest[..start], Some(&rest[start..])),
        };
        if !words.is_empty() {
            pieces.push(Piece::Words(unescape(words)?));
        }
        let Some(tag) = tag else { break };
        let mut end = tag.find('>')? + 1;
        let inside = &tag[1..end - 1];
        let name: &str = inside.trim_start_matches('/').split([' ', '/']).next()?;
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return None;
        }
        if inside.starts_with('/') {
            if open.pop()? != name {
                return None;
            }
        } else if !inside.ends_with('/') {
            if ignored.iter().any(|ignored| ignored == name) {
                let close = format!("</{name}>");
                end += tag[end..].find(&close)? + close.len();
            } else {
                open.push(name);
            }
        }
        pieces.push(Piece::Markup(&tag[..end]));
        rest = &tag[end..];
    }
    open.is_empty().then_some(pieces)
}

/// The number of characters outside tags.
pub(crate) fn characters(text: &str) -> usize {
    let outside = |part: &str| part.split_once('>').map_or(part, |(_, outside)| outside).chars().count();
    let mut parts = text.split('<');
    parts.next().map_or(0, |start| start.chars().count()) + parts.map(outside).sum::<usize>()
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `None` if an ampersand starts no entity, or a character is not allowed in XML.
fn unescape(text: &str) -> Option<String> {
    if text.contains(|letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')) {
        return None;
    }
    let mut parts = text.split('&');
    let mut words = parts.next()?.to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        words.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        });
        words.push_str(rest);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_elements_stay_whole() {
        let ignored = ["x".to_owned()];
        let words = |text: &str| Piece::Words(text.to_owned());
        assert_eq!(
            pieces(r#"하루 <x id="1">500mg</x>씩 &amp; <b>물</b><x id="2"/>"#, &ignored),
            Some(vec![
                words("하루 "),
                Piece::Markup(r#"<x id="1">500mg</x>"#),
                words("씩 & "),
                Piece::Markup("<b>"),
                words("물"),
                Piece::Markup("</b>"),
                Piece::Markup(r#"<x id="2"/>"#),
            ])
        );
    }

    #[test]
    fn only_text_outside_tags_is_counted() {
        for (text, counted) in [("하루 <x id=\"1\">500mg</x>씩", 9), ("<x id=\"2\"/>", 0), ("물", 1)] {
            assert_eq!(characters(text), counted, "{text}");
        }
    }

    #[test]
    fn malformed_xml_is_rejected() {
        for text in ["a < b", "<x>a", "a & b", "</b>", "<b>a</i>", "<>", "a\u{1}b", "&nbsp;"] {
            assert_eq!(pieces(text, &["x".to_owned()]), None, "{text}");
        }
    }
}
