//! The `translations` table: a cache of DeepL's translations and people's corrections, under keyed digests from which
//! no sentence can be guessed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Table, TableError, key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::language::Language;

/// A translation by DeepL, or a person's correction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedTranslation {
    /// See [`crate::services::digest::DigestKey`].
    pub cache_key: String,
    pub text: String,
    /// The source language that DeepL detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_language: Option<Language>,
    /// What the translation cost, and what a cache hit saves.
    pub billed_characters: u64,
    /// Identifies the request to DeepL's support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Whether this is a person's correction of the same sentence.
    #[serde(default)]
    pub by_person: bool,
    /// In epoch seconds (DynamoDB's TTL).
    pub expires_at: u64,
}

/// Messages must never appear in logs, not even by accident.
impl fmt::Debug for CachedTranslation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CachedTranslation({} characters billed)", self.billed_characters)
    }
}

#[derive(Debug, Clone)]
pub struct Translations {
    table: Table,
}

impl Translations {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Translations)? })
    }

    /// The rows with these keys, eventually consistent and in no order: a missed row only costs another translation.
    pub async fn get_all<'a>(
        &self,
        cache_keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<CachedTranslation>, TableError> {
        let keys = cache_keys.into_iter().map(|cache_key| key([("cache_key", cache_key.to_owned())]));
        self.table.batch_get(keys.collect(), false).await
    }

    pub async fn put(&self, translation: &CachedTranslation) -> Result<(), TableError> {
        self.table.put(translation).await
    }
}
