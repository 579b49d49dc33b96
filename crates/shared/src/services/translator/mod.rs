//! Translates messages of a room and stores the results in its log, both for people who ask for a translation and for
//! automatic translation.
//!
//! Each call runs in three steps: `plan` looks up every message in the cache, `fetch` asks DeepL for what the cache
//! lacks, and `settle` turns the results into translations, which are then stored.

mod context;
mod corrections;
mod fetch;
mod job;
mod plan;
mod spending;
#[cfg(test)]
mod tests;

pub use context::{CONTEXT_ENTRIES, context_text};
pub use job::TranslationRequest;

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future, stream};

use crate::adapters::deepl::DeepL;
use crate::adapters::dynamodb::{BillingAccount, Log, TableError, Translations, Usage, UsageTotals};
use crate::adapters::secrets::{Secret, SecretError};
use crate::aws::Aws;
use crate::config::{ConfigError, DeepLConfig, SecretName, TranslationConfig, TranslationLimits};
use crate::error::Error;
use crate::services::digest::DigestKey;
use crate::services::rate_limiter::TranslationAllowance;
use protocol::chat::{FailureReason, Translation};
use protocol::clock::Clock;
use protocol::ids::UserId;
use protocol::wire::Refusal;

/// How many results are stored concurrently.
const MAX_CONCURRENCY: usize = 8;

#[derive(Debug)]
pub struct Translator {
    /// Where results are stored.
    pub log: Log,
    pub cache: Translations,
    /// How many days DeepL's results are reused; zero disables reuse.
    pub cache_days: u64,
    /// Counts each account's characters.
    pub usage: Usage,
    /// What may be spent.
    pub limits: TranslationLimits,
    /// What each person may have translated.
    pub allowance: TranslationAllowance,
    /// How long automatic translation stops asking DeepL once the quota is used up.
    pub quota_pause: Duration,
    pub deepl: DeepL,
    /// Keys the cache.
    pub digest: DigestKey,
    pub clock: Clock,
}

/// A failure of our own storage, or too much asked for. A failure of DeepL is not an error but a failed
/// [`Translation`].
#[derive(Debug, thiserror::Error)]
pub enum TranslatorError {
    #[error(transparent)]
    Table(#[from] TableError),
    /// The key of the cache's digests is unavailable.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The person who asked has to wait, or their hospital or the stack has spent what it may.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
}

impl From<TranslatorError> for Error {
    fn from(error: TranslatorError) -> Self {
        match error {
            TranslatorError::Refused(refusal) => Self::Refused(refusal),
            TranslatorError::Table(_) | TranslatorError::Secret(_) => Self::Failed(Box::new(error)),
        }
    }
}

/// What to do with a message that the cache does not have.
#[derive(Debug, Clone, Copy)]
pub enum OnCacheMiss<'a> {
    /// Ask DeepL while this person waits, within their allowance and what may be spent.
    AskFor(&'a UserId),
    /// Ask DeepL unless it is known to be unavailable, within each writer's allowance.
    AskForWriters,
    /// Fail for this reason without asking DeepL.
    Fail(FailureReason),
}

/// What to do with a translation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Store it, so that everybody in the room sees that it failed, and why.
    Store,
    /// Return it to the caller only.
    ReturnOnly,
}

impl Translator {
    pub async fn open(aws: &Aws) -> Result<Self, ConfigError> {
        let config = TranslationConfig::read()?;
        let limits = TranslationLimits::read()?;
        let deepl_key = Secret::open(aws, SecretName::DeepL).await?;
        Ok(Self {
            log: Log::open(aws)?,
            cache: Translations::open(aws)?,
            cache_days: config.cache_days,
            usage: Usage::open(aws)?,
            limits,
            allowance: TranslationAllowance::open(aws, &limits)?,
            quota_pause: config.quota_pause,
            deepl: DeepL::new(DeepLConfig::read()?, deepl_key, Clock::System),
            digest: DigestKey::open(aws).await?,
            clock: Clock::System,
        })
    }

    /// Translates messages of one room and returns the translations in the order of the requests. A settled translation
    /// is returned as it is; a new one is stored for the whole room, unless a person corrects it in the meantime: then
    /// theirs is returned.
    pub async fn translate(
        &self,
        requests: &[TranslationRequest<'_>],
        context: &str,
        on_miss: OnCacheMiss<'_>,
        on_failure: OnFailure,
    ) -> Result<Vec<Translation>, TranslatorError> {
        let open: Vec<TranslationRequest<'_>> =
            requests.iter().copied().filter(|request| request.settled().is_none()).collect();
        let mut new = self.translate_open(&open, context, on_miss, on_failure).await?.into_iter();
        Ok(requests.iter().filter_map(|request| request.settled().cloned().or_else(|| new.next())).collect())
    }

    /// Translates what has no settled translation, stores the results and counts what they cost.
    async fn translate_open(
        &self,
        requests: &[TranslationRequest<'_>],
        context: &str,
        on_miss: OnCacheMiss<'_>,
        on_failure: OnFailure,
    ) -> Result<Vec<Translation>, TranslatorError> {
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        let account = BillingAccount::of(&first.entry.room_id);
        let mut totals = UsageTotals::default();
        let jobs = self.plan(requests, context, &mut totals).await?;
        let fetched = self.fetch(&jobs, context, on_miss, &mut totals).await?;
        let now = self.clock.now();
        let stored = stream::iter(&jobs)
            .map(async |job| {
                let translation = job.settle(&fetched, now);
                match on_failure {
                    OnFailure::ReturnOnly if !translation.is_settled() => Ok(translation),
                    OnFailure::ReturnOnly | OnFailure::Store => self.store(job.request, translation).await,
                }
            })
            .buffered(MAX_CONCURRENCY)
            .try_collect();
        let (stored, ()) = future::join(stored, self.count(&account, &totals)).await;
        stored
    }

    /// Stores a translation and returns it. If another one was stored first, that one stays and is returned.
    async fn store(
        &self,
        request: TranslationRequest<'_>,
        translation: Translation,
    ) -> Result<Translation, TranslatorError> {
        let TranslationRequest { entry, target } = request;
        let existing = request.existing();
        let expected = existing.map(|existing| existing.version);
        if self.log.set_translation(&entry.room_id, entry.seq, target, &translation, expected).await? {
            if existing.is_some() && translation.is_settled() {
                self.clear_failure(entry).await;
            }
            return Ok(translation);
        }
        let current = self.log.entry(&entry.room_id, entry.seq).await?;
        Ok(current.and_then(|mut current| current.translations.remove(target)).unwrap_or(translation))
    }
}
