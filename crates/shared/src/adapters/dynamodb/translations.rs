//! The `translations` table: what DeepL said before and what people made of it, under keys from which no sentence can be guessed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Table, TableError, key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::language::Language;

/// What DeepL said, or a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedTranslation {
    /// See [`crate::services::digest::DigestKey`].
    pub cache_key: String,
    /// The translation.
    pub text: String,
    /// What the text was found to be written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_language: Option<Language>,
    /// What DeepL counted for it.
    pub billed_characters: u64,
    /// By which DeepL's support finds the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Whether a person put it so: then it is what they made of the same sentence, and not DeepL's.
    #[serde(default)]
    pub by_person: bool,
    /// When the row may go, in epoch seconds (DynamoDB's TTL).
    pub expires_at: u64,
}

/// What people say is never printed, not even by accident.
impl fmt::Debug for CachedTranslation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CachedTranslation({} characters billed)", self.billed_characters)
    }
}

/// The door to the `translations` table.
#[derive(Debug, Clone)]
pub struct Translations {
    table: Table,
}

impl Translations {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Translations)? })
    }

    /// What is kept under these keys, eventually consistent and in no order: a miss costs a translation, no more.
    pub async fn get_all<'a>(
        &self,
        cache_keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<CachedTranslation>, TableError> {
        let keys = cache_keys.into_iter().map(|cache_key| key([("cache_key", cache_key.to_owned())]));
        self.table.batch_get(keys.collect(), false).await
    }

    /// Keeps a translation.
    pub async fn put(&self, translation: &CachedTranslation) -> Result<(), TableError> {
        self.table.put(translation).await
    }
}
