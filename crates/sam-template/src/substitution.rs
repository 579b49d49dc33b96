//! Takes the text of `Fn::Sub` apart.

/// A part of the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Literal(&'t str),
    /// `${!name}`, which stands for `${name}`.
    Escaped(&'t str),
    /// `${name}`
    Variable(&'t str),
}

/// `None` if a `${` is never closed.
pub(crate) fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            parts.push(Part::Literal(&rest[..start]));
        }
        let length = rest[start..].find('}')?;
        let name = &rest[start + 2..start + length];
        parts.push(match name.strip_prefix('!') {
            Some(literal) => Part::Escaped(literal),
            None => Part::Variable(name),
        });
        rest = &rest[start + length + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_at_variables() {
        let expected =
            [Part::Literal("a-"), Part::Variable("B.Arn"), Part::Escaped("C"), Part::Literal("}"), Part::Variable("D")];
        assert_eq!(parts("a-${B.Arn}${!C}}${D}").unwrap(), expected);
        assert_eq!(parts("").unwrap(), []);
        assert_eq!(parts("a${b"), None);
    }
}
