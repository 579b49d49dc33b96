//! One message on its way into one language.

use std::collections::HashMap;

use crate::adapters::deepl;
use crate::adapters::dynamodb::CachedTranslation;
use protocol::chat::{Entry, FailureReason, Translation};
use protocol::clock::Timestamp;
use protocol::language::Language;

/// A message and the language to translate it into.
#[derive(Debug, Clone, Copy)]
pub struct TranslationRequest<'a> {
    /// The message as it stands now.
    pub entry: &'a Entry,
    pub target: &'a Language,
}

/// A request with its cache keys and what the cache had for it.
pub(super) struct TranslationJob<'a> {
    pub(super) request: TranslationRequest<'a>,
    pub(super) keys: CacheKeys,
    pub(super) lookup: Lookup,
}

/// Where the cache keeps the translations of one message.
pub(super) struct CacheKeys {
    /// DeepL's.
    pub(super) machine: String,
    /// A person's correction of the same sentence.
    pub(super) correction: String,
}

pub(super) enum Lookup {
    /// Readers of the target language can read the message as it is.
    NotNeeded,
    Hit(CachedTranslation),
    Miss,
}

/// DeepL's results by [`CacheKeys::machine`].
pub(super) type Fetched<'a> = HashMap<&'a str, Result<CachedTranslation, FailureReason>>;

/// Messages with the same batch key share one request to DeepL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BatchKey<'a> {
    pub(super) source: Option<&'a Language>,
    pub(super) target: &'a Language,
    /// Stock phrases are translated without context.
    pub(super) is_stock_phrase: bool,
}

impl<'a> TranslationRequest<'a> {
    pub(super) fn existing(&self) -> Option<&'a Translation> {
        self.entry.translations.get(self.target)
    }

    pub(super) fn settled(&self) -> Option<&'a Translation> {
        self.existing().filter(|translation| translation.is_settled())
    }

    /// Whether readers of the target language can read the message: it is in that language, or has no words at all. The
    /// language of its writer is no proof: people write other languages too.
    pub(super) fn is_readable(&self) -> bool {
        let message = &self.entry.message;
        let is_in = |language: &Language| masking::may_be_in(message, language.as_str());
        self.entry.language.as_ref().is_some_and(|source| source.reads_like(self.target) && is_in(source))
            || !masking::has_words(message)
    }

    /// Whether readers of the target language can read a message in the language that DeepL detected, which has no
    /// script: Chinese in the other script is translated.
    fn reads_as_detected(&self, detected: &Language) -> bool {
        let is_other_script =
            |source: &Language| source.primary() == self.target.primary() && !source.reads_like(self.target);
        detected.reads_like(self.target) && !self.entry.language.as_ref().is_some_and(is_other_script)
    }

    pub(super) fn batch_key(&self) -> BatchKey<'a> {
        let source = self.entry.language.as_ref();
        let is_stock_phrase = deepl::is_stock_phrase(&self.entry.message, source);
        BatchKey { source, target: self.target, is_stock_phrase }
    }
}

impl TranslationJob<'_> {
    /// The job's translation, from the cache or from what DeepL returned.
    pub(super) fn settle(&self, fetched: &Fetched<'_>, now: Timestamp) -> Translation {
        let version = self.request.existing().map_or(1, |existing| existing.version + 1);
        match &self.lookup {
            Lookup::NotNeeded => Translation::same(self.request.entry.message.clone(), version, now),
            Lookup::Hit(cached) => self.translation(cached, version, now),
            Lookup::Miss => match fetched.get(self.keys.machine.as_str()) {
                Some(Ok(translated)) => self.translation(translated, version, now),
                Some(Err(reason)) => Translation::failed(*reason, version, now),
                None => Translation::failed(FailureReason::Unavailable, version, now),
            },
        }
    }

    fn translation(&self, cached: &CachedTranslation, version: u32, now: Timestamp) -> Translation {
        let entry = self.request.entry;
        if cached.by_person {
            return Translation::by_memory(cached.text.clone(), version, now);
        }
        match &cached.detected_language {
            Some(detected) if self.request.reads_as_detected(detected) => {
                Translation::same(entry.message.clone(), version, now)
            }
            Some(_) | None => Translation::by_machine(cached.text.clone(), version, now),
        }
    }
}
