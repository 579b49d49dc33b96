//! Asks DeepL for what the cache does not have.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures::future;

use super::job::{BatchKey, Fetched, Lookup, TranslationJob};
use super::{OnCacheMiss, Translator, TranslatorError};
use crate::adapters::deepl::{Failure, Request, Translated};
use crate::adapters::dynamodb::{CachedTranslation, Decision, TableError, UsageTotals};
use crate::error::chain;
use crate::metric::{self, Metric};
use protocol::chat::FailureReason;
use protocol::ids::UserId;
use protocol::language::Language;

/// The time limit while a person waits: API Gateway ends a request after 29 seconds.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The time limit of automatic translation: its function has two minutes for a batch.
const AUTOMATIC_TIMEOUT: Duration = Duration::from_secs(60);

/// Messages that are translated with one request, each text once.
pub(super) struct Batch<'a> {
    pub(super) key: BatchKey<'a>,
    pub(super) jobs: Vec<&'a TranslationJob<'a>>,
}

impl Translator {
    /// Translates the jobs that missed the cache and caches what DeepL returns.
    pub(super) async fn fetch<'a>(
        &self,
        jobs: &'a [TranslationJob<'a>],
        context: &str,
        on_miss: OnCacheMiss<'_>,
        totals: &mut UsageTotals,
    ) -> Result<Fetched<'a>, TranslatorError> {
        let batches = batches(jobs);
        let on_miss = match on_miss {
            OnCacheMiss::AskForWriters if self.deepl.is_unavailable() => OnCacheMiss::Fail(FailureReason::Unavailable),
            OnCacheMiss::AskForWriters | OnCacheMiss::AskFor(_) | OnCacheMiss::Fail(_) => on_miss,
        };
        let throttled = match on_miss {
            OnCacheMiss::AskForWriters => self.throttled_writers(&batches).await?,
            OnCacheMiss::AskFor(person) => {
                self.admit(person, &batches).await?;
                HashSet::new()
            }
            OnCacheMiss::Fail(_) => HashSet::new(),
        };
        let results = batches.into_iter().map(|batch| self.translate_batch(batch, context, on_miss, &throttled));
        let mut fetched = Fetched::new();
        for (job, result) in future::join_all(results).await.into_iter().flatten() {
            let cache_key = job.keys.machine.as_str();
            let result = match result {
                Ok(translated) => {
                    totals.translations += 1;
                    totals.billed_characters += translated.billed_characters;
                    Ok(self.put_in_cache(cache_key, translated).await)
                }
                Err(failure) => {
                    totals.failures += 1;
                    totals.billed_characters += failure.billed_characters;
                    report(failure, job.request.target);
                    Err(failure.reason)
                }
            };
            fetched.insert(cache_key, result);
        }
        let asked = !matches!(on_miss, OnCacheMiss::Fail(_));
        if asked && fetched.values().any(|result| matches!(result, Err(FailureReason::Quota))) {
            self.pause_automatic_translation().await;
        }
        Ok(fetched)
    }

    /// The writers whose texts exceed their allowance. Takes the characters out of the allowance with one write per
    /// writer.
    async fn throttled_writers<'a>(&self, batches: &[Batch<'a>]) -> Result<HashSet<&'a UserId>, TableError> {
        let mut by_writer: HashMap<&UserId, u64> = HashMap::new();
        for job in batches.iter().flat_map(|batch| &batch.jobs) {
            *by_writer.entry(&job.request.entry.sender.user_id).or_default() += characters(job);
        }
        let now = self.clock.now();
        let throttled = by_writer.into_iter().map(async |(writer, characters)| {
            let decision = self.allowance.take(writer, characters, now).await?;
            Ok((decision != Decision::Allowed).then_some(writer))
        });
        Ok(future::try_join_all(throttled).await?.into_iter().flatten().collect())
    }

    async fn translate_batch<'a>(
        &self,
        batch: Batch<'a>,
        context: &str,
        on_miss: OnCacheMiss<'_>,
        throttled: &HashSet<&UserId>,
    ) -> Vec<(&'a TranslationJob<'a>, Result<Translated, Failure>)> {
        let is_throttled = |job: &&TranslationJob<'_>| throttled.contains(&job.request.entry.sender.user_id);
        let (refused, admitted): (Vec<_>, Vec<_>) = batch.jobs.into_iter().partition(is_throttled);
        let timeout = match on_miss {
            OnCacheMiss::AskFor(_) => TIMEOUT,
            OnCacheMiss::AskForWriters => AUTOMATIC_TIMEOUT,
            OnCacheMiss::Fail(reason) => {
                return admitted.into_iter().map(|job| (job, Err(Failure::unbilled(reason)))).collect();
            }
        };
        let texts: Vec<&str> = admitted.iter().map(|job| job.request.entry.message.as_str()).collect();
        let context = if batch.key.is_stock_phrase { "" } else { context };
        let BatchKey { source, target, .. } = batch.key;
        let translated = self.deepl.translate(Request { texts: &texts, source, target, context, timeout }).await;
        let refused = refused.into_iter().map(|job| (job, Err(Failure::unbilled(FailureReason::RateLimited))));
        admitted.into_iter().zip(translated).chain(refused).collect()
    }

    async fn put_in_cache(&self, cache_key: &str, translated: Translated) -> CachedTranslation {
        tracing::debug!(billed_characters = translated.billed_characters, trace_id = translated.trace_id, "translated");
        metric::count(Metric::BilledCharacters, translated.billed_characters);
        let row = CachedTranslation {
            cache_key: cache_key.to_owned(),
            text: translated.text,
            detected_language: translated.detected,
            billed_characters: translated.billed_characters,
            trace_id: translated.trace_id,
            by_person: false,
            expires_at: self.clock.now().seconds() + self.cache_days * 24 * 60 * 60,
        };
        // The translation is paid for and stands either way; without the cache, the next one is paid for as well.
        if self.cache_days > 0
            && let Err(error) = self.cache.put(&row).await
        {
            tracing::warn!(error = chain(&error), "failed to cache a translation");
        }
        row
    }

    async fn pause_automatic_translation(&self) {
        if let Err(error) = self.usage.pause(self.clock.now() + self.quota_pause).await {
            tracing::warn!(error = chain(&error), "failed to pause automatic translation; DeepL's quota is used up");
        }
    }
}

/// The characters of one message, as DeepL counts them.
pub(super) fn characters(job: &TranslationJob<'_>) -> u64 {
    job.request.entry.message.chars().count() as u64
}

/// Groups the jobs that missed the cache. Messages that say the same are translated once.
pub(super) fn batches<'a>(jobs: &'a [TranslationJob<'a>]) -> Vec<Batch<'a>> {
    let mut batches: BTreeMap<BatchKey<'a>, BTreeMap<&str, &'a TranslationJob<'a>>> = BTreeMap::new();
    for job in jobs.iter().filter(|job| matches!(job.lookup, Lookup::Miss)) {
        batches.entry(job.request.batch_key()).or_default().entry(&job.keys.machine).or_insert(job);
    }
    batches.into_iter().map(|(key, jobs)| Batch { key, jobs: jobs.into_values().collect() }).collect()
}

/// Logs and counts a failure, including one for which DeepL was not asked, so that an alarm lasts as long as its cause.
fn report(failure: Failure, target: &Language) {
    tracing::warn!(reason = ?failure.reason, %target, "translation failed");
    if failure.billed_characters > 0 {
        metric::count(Metric::BilledCharacters, failure.billed_characters);
    }
    if failure.reason.is_for_operators() {
        metric::count(Metric::TranslationFailed, 1);
    }
    if failure.reason == FailureReason::Quota {
        metric::count(Metric::QuotaUsedUp, 1);
    }
}
