//! Translates one message into one language and stores the result beside it: what asking for a translation and translating
//! automatically have in common.

use crate::chat::{Entry, EntryKind, Translation};
use crate::clock::Clock;
use crate::deepl::{DeepL, Request};
use crate::digest::DigestKey;
use crate::error::chain;
use crate::language::Language;
use crate::metric::{self, Metric};
use crate::secrets::SecretError;
use crate::table::{CachedTranslation, Log, TableError, Translations};

/// Cache, DeepL and the log.
#[derive(Debug)]
pub struct Translator {
    /// Where the result is stored.
    pub log: Log,
    /// What was translated before.
    pub cache: Translations,
    /// Who translates.
    pub deepl: DeepL,
    /// Keys the cache.
    pub digest: DigestKey,
    /// The time.
    pub clock: Clock,
}

/// The result could not be stored or the cache not be asked. That DeepL failed is no error but a result.
#[derive(Debug, thiserror::Error)]
pub enum TranslatorError {
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The key of the cache.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

crate::error::fails!(TranslatorError);

/// What becomes of a translation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failures {
    /// It is stored, so that everybody who waits for it sees that it failed, and why.
    Store,
    /// Who asked is told, and nobody else.
    Tell,
}

impl Translator {
    /// How many messages before it tell DeepL what a message is about.
    const CONTEXT_ENTRIES: u16 = 3;
    /// How long a cached translation is kept: 30 days.
    const CACHED_SECONDS: u64 = 30 * 24 * 60 * 60;

    /// What was said before `entry`, oldest first.
    pub async fn context(&self, entry: &Entry) -> Result<String, TableError> {
        let mut before = self.log.before(&entry.room_id, entry.seq, Self::CONTEXT_ENTRIES).await?;
        before.reverse();
        let texts = before.iter().filter(|entry| entry.kind == EntryKind::Text).map(|entry| entry.message.as_str());
        Ok(texts.collect::<Vec<_>>().join("\n"))
    }

    /// The translation of `entry` (as it stands now) into `target`: the stored one if it is settled, else a new one, which
    /// is stored for everybody. Whoever corrects it meanwhile wins.
    pub async fn translate(
        &self,
        entry: &Entry,
        target: &Language,
        context: &str,
        failures: Failures,
    ) -> Result<Translation, TranslatorError> {
        let standing = entry.translations.get(target);
        if let Some(settled) = standing.filter(|translation| translation.is_settled()) {
            return Ok(settled.clone());
        }
        let expected = standing.map(|translation| translation.version);
        let translation = self.ask(entry, target, context, expected.unwrap_or(0) + 1).await?;
        if !translation.is_settled() && failures == Failures::Tell {
            return Ok(translation);
        }
        if self.log.set_translation(&entry.room_id, entry.seq, target, &translation, expected).await? {
            return Ok(translation);
        }
        // Somebody else set it first: what they set is what everyone sees.
        let current = self.log.entry(&entry.room_id, entry.seq).await?;
        Ok(current.and_then(|mut current| current.translations.remove(target)).unwrap_or(translation))
    }

    async fn ask(
        &self,
        entry: &Entry,
        target: &Language,
        context: &str,
        version: u32,
    ) -> Result<Translation, TranslatorError> {
        let source = entry.language.as_ref();
        if source.is_some_and(|source| source.reads_like(target)) {
            return Ok(Translation::same(entry.message.clone(), version, self.clock.now()));
        }
        let cache_key = self.cache_key(entry, target, context).await?;
        if let Some(cached) = self.cache.get(&cache_key).await? {
            return Ok(self.settle(cached.text, cached.detected_language, entry, target, version));
        }
        let asked = self.deepl.translate(Request { text: &entry.message, source, target, context }).await;
        let translated = match asked {
            Ok(translated) => translated,
            Err(reason) => return Ok(Translation::failed(reason, version, self.clock.now())),
        };
        tracing::debug!(%target, billed_characters = translated.billed_characters, "translated");
        metric::count(Metric::BilledCharacters, translated.billed_characters);
        let kept = self
            .cache
            .put(&CachedTranslation {
                cache_key,
                text: translated.text.clone(),
                detected_language: translated.detected.clone(),
                billed_characters: translated.billed_characters,
                expires_at: self.clock.now().seconds() + Self::CACHED_SECONDS,
            })
            .await;
        // It is paid for: what the cache does not take costs another translation some day, and not this one again.
        if let Err(error) = kept {
            tracing::warn!(error = chain(&error), "a translation was not cached");
        }
        Ok(self.settle(translated.text, translated.detected, entry, target, version))
    }

    fn settle(
        &self,
        text: String,
        detected: Option<Language>,
        entry: &Entry,
        target: &Language,
        version: u32,
    ) -> Translation {
        let now = self.clock.now();
        match detected {
            Some(detected) if entry.language.is_none() && detected.reads_like(target) => {
                Translation::same(entry.message.clone(), version, now)
            }
            _ => Translation::by_machine(text, version, now),
        }
    }

    /// Everything that shapes the result. What one hospital had translated tells nothing to another.
    async fn cache_key(&self, entry: &Entry, target: &Language, context: &str) -> Result<String, SecretError> {
        let scope = entry
            .room_id
            .hospital()
            .map_or_else(|| entry.room_id.to_string(), |hospital| format!("hospital:{hospital}"));
        let source = entry.language.as_ref().map_or("", Language::as_str);
        self.digest.digest(&["translation", &scope, &entry.message, source, target.as_str(), context]).await
    }
}
