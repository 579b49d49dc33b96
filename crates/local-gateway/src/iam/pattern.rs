//! The wildcards of policies: `*` is any characters, `?` is one.

/// Whether an action fits, small or large.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
pub(super) fn fits_action(pattern: &str, action: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Whether an ARN fits. A wildcard does not reach across the colons that part an ARN; only a lone `*` is everything.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
pub(super) fn fits_arn(pattern: &str, arn: &str) -> bool {
    const PARTS: usize = 6;
    if pattern == "*" {
        return true;
    }
    let parts = |arn: &str| -> Vec<String> { arn.splitn(PARTS, ':').map(str::to_owned).collect() };
    let (pattern, arn) = (parts(pattern), parts(arn));
    pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(pattern, part)| fits(pattern, part))
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
    fn a_wildcard_of_an_arn_stays_between_its_colons() {
        let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/demo-Notes/index/by-tag";
        for pattern in ["*", "arn:aws:dynamodb:*:*:table/*", "arn:*:dynamodb:us-????-1:*:table/demo-*/index/by-tag"] {
            assert!(fits_arn(pattern, arn), "{pattern}");
        }
        for pattern in [
            "arn:aws:dynamodb:*",
            "arn:aws:*:table/demo-Notes/index/by-tag",
            "arn:aws:dynamodb:us-east-1:123456789012:table/demo-Notes",
            "arn:aws:dynamodb:us-east-1:123456789012:table/demo-notes/index/by-tag",
            "arn:aws:dynamodb:*:*",
        ] {
            assert!(!fits_arn(pattern, arn), "{pattern}");
        }
        // The last part is all the rest, colons included, as of a secret's versions.
        assert!(fits_arn("arn:aws:sns:*:*:a*", "arn:aws:sns:us-east-1:1:a:b"));
    }
}
