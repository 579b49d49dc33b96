//! How DeepL is called.

use std::str::FromStr;

use protocol::language::Language;

use super::environment::{ConfigError, invalid, optional, parsed, required};

/// How DeepL is called.
#[derive(Debug, Clone)]
pub struct DeepLConfig {
    /// `DEEPL_ENDPOINT`: where DeepL answers; if it is not set, the key decides.
    pub endpoint: Option<String>,
    /// `DEEPL_MODEL`: the `model_type`.
    pub model: String,
    /// `DEEPL_FREE_KEYS`: whether a key of the free tier is accepted.
    pub free_keys: bool,
    /// `REDACT_NUMBERS`: whether numbers that identify a person are removed from what is sent.
    pub redact: bool,
    /// `DEEPL_GLOSSARIES`: `ko>ja=<id>,ko>en=<id>`.
    glossaries: Vec<Glossary>,
}

/// `ko>ja=<id>`
#[derive(Debug, Clone)]
struct Glossary {
    source: Language,
    target: Language,
    id: String,
}

impl FromStr for Glossary {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (pair, id) = text.split_once('=')?;
            let (source, target) = pair.split_once('>')?;
            let source = source.trim().parse().ok()?;
            let target = target.trim().parse().ok()?;
            Some(Self { source, target, id: id.trim().to_owned() }).filter(|glossary| !glossary.id.is_empty())
        };
        read().ok_or("must be glossaries such as `ko>ja=<id>`, separated by commas")
    }
}

impl DeepLConfig {
    pub fn read() -> Result<Self, ConfigError> {
        const GLOSSARIES: &str = "DEEPL_GLOSSARIES";
        let glossaries = optional(GLOSSARIES).unwrap_or_default();
        let glossaries = glossaries.split(',').filter(|one| !one.trim().is_empty()).map(str::parse);
        Ok(Self {
            endpoint: optional("DEEPL_ENDPOINT"),
            model: required("DEEPL_MODEL")?,
            free_keys: parsed("DEEPL_FREE_KEYS")?,
            redact: parsed("REDACT_NUMBERS")?,
            glossaries: glossaries.collect::<Result<_, _>>().map_err(|reason: &str| invalid(GLOSSARIES, reason))?,
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(endpoint: String) -> Self {
        let glossaries = Vec::new();
        Self { endpoint: Some(endpoint), model: String::new(), free_keys: false, redact: false, glossaries }
    }

    /// The glossary of a language pair. DeepL requires the source language for it.
    pub fn glossary(&self, source: Option<&Language>, target: &Language) -> Option<&str> {
        let source = source?;
        let matches = |glossary: &&Glossary| glossary.source.reads_like(source) && glossary.target.reads_like(target);
        self.glossaries.iter().find(matches).map(|glossary| glossary.id.as_str())
    }
}
