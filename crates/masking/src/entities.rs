//! Character references such as `&amp;`, which translators return now and then, and which XML requires.

/// The longest reference, `&#x10FFFF;`, without its ampersand.
const MAX_LENGTH: usize = 9;

/// Replaces references with their characters, except those to `keep`.
pub(super) fn decode(text: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.char_indices().take(MAX_LENGTH + 1).find(|(_, c)| *c == ';').map_or(1, |(end, _)| end + 1);
        let reference = &rest[..end];
        match character(reference).filter(|_| !keep(reference)) {
            Some(character) => decoded.push(character),
            None => decoded.push_str(reference),
        }
        rest = &rest[end..];
    }
    decoded + rest
}

/// The character of a reference, unless it is a control character.
fn character(reference: &str) -> Option<char> {
    let name = reference.strip_prefix('&')?.strip_suffix(';')?;
    let code = |number: &str| match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => number.parse().ok(),
    };
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => char::from_u32(code(name.strip_prefix('#')?)?).filter(|character| !character.is_control()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_once() {
        for (text, decoded) in [
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("a &lt; b &gt; c", "a < b > c"),
            ("&quot;ok&quot; it&#39;s it&apos;s it&#x27;s it&#X2019;s", "\"ok\" it's it's it's it’s"),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            (
                "A&B &unknown; &; &#; &#x; &#0; &#xd800; &#1114112;",
                "A&B &unknown; &; &#; &#x; &#0; &#xd800; &#1114112;",
            ),
            ("&#128512;&#x1F600;", "😀😀"),
            ("& & &", "& & &"),
        ] {
            assert_eq!(decode(text, |_| false), decoded, "{text}");
        }
        assert_eq!(decode("&amp; &lt;", |reference| reference == "&amp;"), "&amp; <");
    }
}
