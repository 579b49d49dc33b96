//! The wildcards of policies: `*` matches any characters, `?` matches one.

/// Whether an action matches, ignoring case.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
pub(super) fn action_matches(pattern: &str, action: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Whether an ARN matches. A wildcard stays within its segment, between two colons, except for a `*` at the end of a
/// segment: "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon
/// boundaries."
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
pub(super) fn arn_matches(pattern: &str, arn: &str) -> bool {
    let segments = |text| -> Vec<&str> { str::split(text, ':').collect() };
    segments_match(&segments(pattern), &segments(arn))
}

fn segments_match(patterns: &[&str], segments: &[&str]) -> bool {
    match (patterns, segments) {
        ([], []) => true,
        ([pattern, patterns @ ..], [segment, segments @ ..]) if matches(pattern, segment) => {
            let beyond = if pattern.ends_with('*') { segments.len() } else { 0 };
            (0..=beyond).any(|swallowed| segments_match(patterns, &segments[swallowed..]))
        }
        _ => false,
    }
}

/// Whether a text matches, case-sensitively.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut read = 0;
    // The position of the last `*`, and the end of what it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match &mut star {
                Some((position, end)) => {
                    *end += 1;
                    at = *position + 1;
                    read = *end;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a/b"),
            ("a*c", "abbc"),
            ("a*c", "ac"),
            ("*a*b*", "xxaxxbxx"),
            ("a?c", "abc"),
            ("**", "x"),
            ("a*bc", "abcbc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("a", "A"), ("a*c", "abcd"), ("", "a"), ("?", "")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn actions_ignore_case() {
        assert!(action_matches("DynamoDB:getitem", "dynamodb:GetItem"));
        assert!(action_matches("dynamodb:*Item", "dynamodb:GetItem"));
        assert!(!action_matches("dynamodb:Get", "dynamodb:GetItem"));
    }

    #[test]
    fn only_trailing_stars_cross_colons() {
        let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/demo-Notes/index/by-tag";
        for pattern in [
            "*",
            "arn:*",
            "arn:aws:dynamodb:*",
            "arn:aws:dynamodb:us-*",
            "arn:aws:dynamodb:*:*",
            "arn:aws:*:table/demo-Notes/index/by-tag",
            "arn:aws:dynamodb:*:*:table/*",
            "arn:*:dynamodb:us-????-1:*:table/demo-*/index/by-tag",
        ] {
            assert!(arn_matches(pattern, arn), "{pattern}");
        }
        for pattern in [
            "",
            "arn",
            "arn:aws:dynamodb:us*1:table/demo-Notes/index/by-tag",
            "arn:aws:dynamodb:us-east-1*2:table/*",
            "arn:aws:dynamodb:us-east-1?123456789012:table/*",
            "arn:aws:dynamodb:*:*:*:*",
            "arn:aws:sqs:*",
            "arn:aws:dynamodb:us-east-1:123456789012:table/demo-Notes",
            "arn:aws:dynamodb:us-east-1:123456789012:table/demo-notes/index/by-tag",
        ] {
            assert!(!arn_matches(pattern, arn), "{pattern}");
        }
        assert!(arn_matches("arn:aws:sns:*:*:a*", "arn:aws:sns:us-east-1:1:a:b"));
        // Matching backtracks.
        assert!(arn_matches("*:a*b:c", "x:ay:azb:c"));
    }
}
