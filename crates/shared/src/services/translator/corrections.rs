//! What follows from a person's correction of a translation.

use std::time::Duration;

use super::job::TranslationRequest;
use super::{Translator, TranslatorError};
use crate::adapters::deepl;
use crate::adapters::dynamodb::CachedTranslation;
use crate::error::chain;
use protocol::chat::Entry;

/// How long a correction is reused for the same sentence: a year.
const CORRECTION_TTL: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The weight from which on a sentence means the same in every conversation, see [`masking::weight`].
const MIN_WEIGHT: usize = 9;

impl Translator {
    /// Remembers a person's correction for the same sentence in the same hospital. A short sentence is not remembered
    /// unless it is a stock phrase: it may mean something different next time.
    pub async fn remember_correction(
        &self,
        request: TranslationRequest<'_>,
        text: &str,
    ) -> Result<(), TranslatorError> {
        let TranslationRequest { entry, .. } = request;
        if masking::weight(&entry.message) < MIN_WEIGHT
            && !deepl::is_stock_phrase(&entry.message, entry.language.as_ref())
        {
            return Ok(());
        }
        let row = CachedTranslation {
            cache_key: self.cache_keys(request, "").await?.correction,
            text: text.to_owned(),
            detected_language: None,
            billed_characters: entry.message.chars().count() as u64,
            trace_id: None,
            by_person: true,
            expires_at: (self.clock.now() + CORRECTION_TTL).seconds(),
        };
        Ok(self.cache.put(&row).await?)
    }

    /// Removes an entry from the list of failed translations once none of its translations is a failure. If this fails,
    /// the list still names the entry, and a reader finds no failure there.
    pub async fn clear_failure(&self, entry: &Entry) {
        if let Err(error) = self.log.clear_failed(entry).await {
            tracing::warn!(
                room = %entry.room_id,
                seq = %entry.seq,
                error = chain(&error),
                "failed to remove an entry from the list of failed translations"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_reach_the_minimum_in_every_script() {
        for text in ["我发烧了", "머리가 아파", "頭が痛い", "My head hurts", "Болит голова"] {
            assert!(masking::weight(text) >= MIN_WEIGHT, "{text}");
        }
    }

    #[test]
    fn short_answers_stay_below_the_minimum() {
        for text in
            ["네", "아니요", "그래요", "はい", "いいえ", "是", "没有", "可以", "yes", "No, thanks", "37.5", "👍"]
        {
            assert!(masking::weight(text) < MIN_WEIGHT, "{text}");
        }
    }
}
