//! Languages as BCP 47 tags, in the forms that DeepL uses (`ko`, `en-US`, `zh-Hans`).

use std::fmt;
use std::str::FromStr;

use icu_locale_core::LanguageIdentifier;
use icu_locale_core::subtags::{Region, Script};

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

    /// Reads a BCP 47 tag or a POSIX locale, as identity providers and operating systems write them: `ja_JP`,
    /// `ko-KR-u-nu-latn`, `sr_RS.UTF-8@latin`. Language, script and region are kept; variants and extensions do not
    /// matter to a translation.
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        let (locale, modifier) = text.trim().split_once('@').unwrap_or((text.trim(), ""));
        let (locale, _encoding) = locale.split_once('.').unwrap_or((locale, ""));
        let id = LanguageIdentifier::try_from_locale_bytes(locale.replace('_', "-").as_bytes())
            .map_err(|_| InvalidLanguage)?;
        // Longer ones are valid but not in use: they are English names of languages, or `POSIX`.
        if id.language.is_unknown() || id.language.as_str().len() > 3 {
            return Err(InvalidLanguage);
        }
        let script = id.script.as_ref().map(Script::as_str).or(match modifier {
            "latin" => Some("Latn"),
            "cyrillic" => Some("Cyrl"),
            "devanagari" => Some("Deva"),
            _ => None,
        });
        let region = id.region.as_ref().map(Region::as_str);
        let parts = [Some(id.language.as_str()), script, region];
        Ok(Self(parts.into_iter().flatten().collect::<Vec<_>>().join("-")))
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
    fn tags_of_identity_providers_are_read() {
        for (text, expected) in [
            ("ja_JP", "ja-JP"),
            ("zh_CN", "zh-CN"),
            ("zh_hant_tw", "zh-Hant-TW"),
            (" ko ", "ko"),
            ("\tko-KR\n", "ko-KR"),
            ("ko_KR.UTF-8", "ko-KR"),
            ("de_DE@euro", "de-DE"),
            ("sr_RS.UTF-8@latin", "sr-Latn-RS"),
            ("ja-JP-u-ca-japanese", "ja-JP"),
            ("en-US-x-twain", "en-US"),
            ("de-CH-1996", "de-CH"),
            ("ca-ES-valencia", "ca-ES"),
            ("en-t-ja", "en"),
        ] {
            assert_eq!(text.parse().as_ref().map(Language::as_str), Ok(expected), "{text}");
        }
    }

    #[test]
    fn invalid_tags_are_refused() {
        for text in [
            "", " ", "k", "C", "C.UTF-8", "POSIX", "korean", "ko-", "ko--KR", "한국", "zh-Han", "und", "x-y", "ko KR",
            "@",
        ] {
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
