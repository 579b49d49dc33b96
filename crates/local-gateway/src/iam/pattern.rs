//! The wildcards of policies: `*` is any characters, `?` is one.

/// Whether an action fits, small or large.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
pub(super) fn fits_action(pattern: &str, action: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Whether an ARN fits. A wildcard stays within its segment, between two colons, except for a `*` that ends its segment: "If the *
/// wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries."
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
pub(super) fn fits_arn(pattern: &str, arn: &str) -> bool {
    let segments = |text| -> Vec<&str> { str::split(text, ':').collect() };
    segments_fit(&segments(pattern), &segments(arn))
}

fn segments_fit(patterns: &[&str], segments: &[&str]) -> bool {
    match (patterns, segments) {
        ([], []) => true,
        ([pattern, patterns @ ..], [segment, segments @ ..]) if fits(pattern, segment) => {
            let beyond = if pattern.ends_with('*') { segments.len() } else { 0 };
            (0..=beyond).any(|swallowed| segments_fit(patterns, &segments[swallowed..]))
        }
        _ => false,
    }
}

/// Whether a text fits, large and small being two things.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where the last `*` stands, and up to where it reaches in the text as far as tried.
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[place] => (at, place) = (at + 1, place + 1),
            _ => match &mut star {
                Some((stands, reaches)) => {
                    *reaches += 1;
                    (at, place) = (*stands + 1, *reaches);
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
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
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
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("a", "A"), ("a*c", "abcd"), ("", "a"), ("?", "")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_action_is_the_same_small_and_large() {
        assert!(fits_action("DynamoDB:getitem", "dynamodb:GetItem"));
        assert!(fits_action("dynamodb:*Item", "dynamodb:GetItem"));
        assert!(!fits_action("dynamodb:Get", "dynamodb:GetItem"));
    }

    #[test]
    fn a_star_that_ends_a_segment_of_an_arn_reaches_beyond_its_colon_and_no_other_wildcard_does() {
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
            assert!(fits_arn(pattern, arn), "{pattern}");
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
            assert!(!fits_arn(pattern, arn), "{pattern}");
        }
        assert!(fits_arn("arn:aws:sns:*:*:a*", "arn:aws:sns:us-east-1:1:a:b"));
        // What was swallowed too early is given back.
        assert!(fits_arn("*:a*b:c", "x:ay:azb:c"));
    }
}
