//! Languages as BCP 47 tags, in the forms that DeepL uses (`ko`, `en-US`, `zh-Hans`).

use std::fmt;
use std::str::FromStr;

use crate::ids::serde_as_string;

/// A language tag in its canonical spelling (`zh-Hans`, `pt-BR`). Parsing ignores case, so comparison does too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(String);

/// The text is not a language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a language tag such as `ko`, `en-US` or `zh-Hans`")]
pub struct InvalidLanguage;

impl Language {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without script and region: `zh` of `zh-Hans`.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Whether a reader of one reads the other too: the same language in the same script, in any region. Chinese has
    /// two scripts; if the tag names none, the region decides, and without a region it is simplified.
    pub fn reads_like(&self, other: &Self) -> bool {
        self.primary() == other.primary() && (self.primary() != "zh" || self.is_traditional() == other.is_traditional())
    }

    fn is_traditional(&self) -> bool {
        self.0.split('-').any(|part| matches!(part, "Hant" | "TW" | "HK" | "MO")) && !self.0.contains("Hans")
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        let mut tag = String::with_capacity(text.len());
        for (position, part) in text.split('-').enumerate() {
            let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            let spelled = match (position, part.len()) {
                (0, 2 | 3) if letters => part.to_ascii_lowercase(),
                (1, 4) if letters => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
                (1 | 2, 2) if letters => part.to_ascii_uppercase(),
                (1 | 2, 3) if digits => part.to_owned(),
                _ => return Err(InvalidLanguage),
            };
            if position > 0 {
                tag.push('-');
            }
            tag.push_str(&spelled);
        }
        Ok(Self(tag))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
serde_as_string!(Language);

/// An ordered list of languages. Serialized as one string, `ja zh-Hans`, because the event filter of a DynamoDB stream
/// can test whether a string exists but not whether a list is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Languages(Vec<Language>);

impl Languages {
    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The languages in order.
    pub fn iter(&self) -> impl Iterator<Item = &Language> {
        self.0.iter()
    }
}

impl FromIterator<Language> for Languages {
    fn from_iter<I: IntoIterator<Item = Language>>(languages: I) -> Self {
        Self(languages.into_iter().collect())
    }
}

impl FromStr for Languages {
    type Err = InvalidLanguage;
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

impl fmt::Display for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, language) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            write!(f, "{separator}{language}")?;
        }
        Ok(())
    }
}
serde_as_string!(Languages);

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Language {
        text.parse().expect("a valid tag")
    }

    #[test]
    fn tags_are_compared_without_case() {
        assert_eq!(tag("ZH-HANS"), tag("zh-hans"));
        assert_eq!(tag("ZH-HANS").as_str(), "zh-Hans");
        assert_eq!(tag("pt-br").as_str(), "pt-BR");
        assert_eq!(tag("es-419").as_str(), "es-419");
    }

    #[test]
    fn invalid_tags_are_refused() {
        for text in ["", "k", "korean", "ko-", "ko_KR", "한국", "en-US-x-y", "zh-Han"] {
            assert!(text.parse::<Language>().is_err(), "{text}");
        }
    }

    #[test]
    fn equivalence_ignores_regions_but_not_scripts() {
        assert!(tag("en").reads_like(&tag("en-US")));
        assert!(tag("zh").reads_like(&tag("zh-Hans")));
        assert!(tag("zh-TW").reads_like(&tag("zh-Hant")));
        assert!(!tag("zh-Hans").reads_like(&tag("zh-Hant")));
        assert!(!tag("ko").reads_like(&tag("ja")));
    }
}
