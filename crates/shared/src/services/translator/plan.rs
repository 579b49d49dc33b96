//! Finds out what the cache knows before DeepL is asked.

use std::collections::HashMap;

use futures::future;

use super::job::{CacheKeys, Lookup, TranslationJob, TranslationRequest};
use super::{Translator, TranslatorError};
use crate::adapters::dynamodb::{BillingAccount, CachedTranslation, TableError, UsageTotals};
use crate::adapters::secrets::SecretError;
use protocol::appearance::folded;
use protocol::language::Language;

impl Translator {
    /// Looks up every request in the cache; a person's correction takes precedence over DeepL's translation.
    pub(super) async fn plan<'a>(
        &self,
        requests: &[TranslationRequest<'a>],
        context: &str,
        totals: &mut UsageTotals,
    ) -> Result<Vec<TranslationJob<'a>>, TranslatorError> {
        let mut jobs = future::try_join_all(requests.iter().map(|request| self.job(*request, context))).await?;
        let cached = self.cached(&jobs).await?;
        for job in jobs.iter_mut().filter(|job| matches!(job.lookup, Lookup::Miss)) {
            if let Some(found) = cached.get(&job.keys.correction).or_else(|| cached.get(&job.keys.machine)) {
                totals.cache_hits += 1;
                totals.saved_characters += found.billed_characters;
                job.lookup = Lookup::Hit(found.clone());
            }
        }
        Ok(jobs)
    }

    async fn job<'a>(&self, request: TranslationRequest<'a>, context: &str) -> Result<TranslationJob<'a>, SecretError> {
        let keys = self.cache_keys(request, context).await?;
        let lookup = if request.is_readable() { Lookup::NotNeeded } else { Lookup::Miss };
        Ok(TranslationJob { request, keys, lookup })
    }

    /// What the cache has for the jobs that need a translation, by cache key.
    async fn cached(&self, jobs: &[TranslationJob<'_>]) -> Result<HashMap<String, CachedTranslation>, TableError> {
        let mut keys = Vec::new();
        for job in jobs.iter().filter(|job| matches!(job.lookup, Lookup::Miss)) {
            // Corrections are reused even where DeepL's translations are not.
            keys.push(job.keys.correction.as_str());
            if self.cache_days > 0 {
                keys.push(job.keys.machine.as_str());
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let now = self.clock.now().seconds();
        let rows = self.cache.get_all(keys).await?;
        // DynamoDB deletes expired rows with a delay of up to days.
        let fresh = rows.into_iter().filter(|row| now < row.expires_at);
        Ok(fresh.map(|row| (row.cache_key.clone(), row)).collect())
    }

    /// Digests of everything that shapes a result. The scope keeps one hospital's texts out of another's.
    pub(super) async fn cache_keys(
        &self,
        request: TranslationRequest<'_>,
        context: &str,
    ) -> Result<CacheKeys, SecretError> {
        let TranslationRequest { entry, target } = request;
        let scope = match BillingAccount::of(&entry.room_id) {
            BillingAccount::Account => entry.room_id.to_string(),
            hospital @ BillingAccount::Hospital(_) => hospital.to_string(),
        };
        let text = entry.message.as_str();
        let source = entry.language.as_ref().map_or("", Language::as_str);
        let settings = self.deepl.settings(entry.language.as_ref(), target);
        let context = if request.batch_key().is_stock_phrase { "" } else { context };
        let target = target.as_str();
        let machine = ["translation", &scope, text, source, target, &settings, context];
        let sentence = folded(text);
        let correction = ["correction", &scope, sentence.trim(), source, target];
        Ok(CacheKeys {
            machine: self.digest.digest(&machine).await?,
            correction: self.digest.digest(&correction).await?,
        })
    }
}
