//! Translates messages of a room and stores the results beside them: what asking for a translation and translating by itself
//! have in common.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future, stream};

use crate::adapters::deepl::{self, DeepL, Lost, Request, Translated};
use crate::adapters::dynamodb::{BillingAccount, CachedTranslation, Log, TableError, Translations, Usage, UsageTotals};
use crate::adapters::secrets::{Secret, SecretError};
use crate::aws::Aws;
use crate::config::{ConfigError, DeepLConfig, SecretName, TranslationConfig};
use crate::error::chain;
use crate::metric::{self, Metric};
use crate::services::digest::DigestKey;
use crate::services::rate_limiter::TranslationAllowance;
use protocol::chat::{Entry, EntryKind, FailureReason, Translation};
use protocol::clock::Clock;
use protocol::ids::UserId;
use protocol::language::Language;

/// Cache, DeepL and the log.
#[derive(Debug)]
pub struct Translator {
    /// Where the result is stored.
    pub log: Log,
    /// What was translated before.
    pub cache: Translations,
    /// For how many days what DeepL said is used again; at zero it is not.
    pub cache_days: u64,
    /// What it costs whom.
    pub usage: Usage,
    /// For how long DeepL is left alone by itself once the account's characters are used up.
    pub quota_pause: Duration,
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

/// A message and the language that it is wanted in.
#[derive(Debug, Clone, Copy)]
pub struct TranslationJob<'a> {
    /// The message, as it stands now.
    pub entry: &'a Entry,
    /// The language.
    pub target: &'a Language,
}

/// What is to be done with what nobody translated before.
#[derive(Debug, Clone, Copy)]
pub enum OnCacheMiss<'a> {
    /// DeepL is asked, and somebody waits for the answer.
    Ask,
    /// DeepL is asked unless it is out of reach, for as much as each writer may have translated without anybody asking for it.
    AskWithin(&'a TranslationAllowance),
    /// It failed already, for this reason.
    Fail(FailureReason),
}

/// What becomes of a translation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It is stored, so that everybody who waits for it sees that it failed, and why.
    Store,
    /// Who asked is told, and nobody else.
    Tell,
}

/// What the cache may know of a message, and under which keys.
struct Keys {
    /// What DeepL said to it.
    said: String,
    /// What a person made of it.
    corrected: String,
}

/// How long a person waits for DeepL who asked for a translation: API Gateway waits for 29 seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what nobody asked for may take: its function has two minutes for a batch.
const LONG_PATIENCE: Duration = Duration::from_secs(60);
/// How many messages before it tell DeepL what a message is about.
pub const CONTEXT_ENTRIES: u16 = 3;
/// How long a person's correction is offered for the same sentence: a year.
const REMEMBERED: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How many letters a sentence has at least that means the same wherever it is said, see [`weight`].
const LETTERS: usize = 9;
/// How many results are stored side by side.
const AT_ONCE: usize = 8;

impl Translator {
    pub async fn open(aws: &Aws) -> Result<Self, ConfigError> {
        let config = TranslationConfig::read()?;
        let deepl_key = Secret::open(aws, SecretName::DeepL).await?;
        Ok(Self {
            log: Log::open(aws)?,
            cache: Translations::open(aws)?,
            cache_days: config.cache_days,
            usage: Usage::open(aws)?,
            quota_pause: config.quota_pause,
            deepl: DeepL::new(DeepLConfig::read()?, deepl_key, Clock::System),
            digest: DigestKey::open(aws).await?,
            clock: Clock::System,
        })
    }

    /// What was said before `entry`, oldest first.
    pub async fn context(&self, entry: &Entry) -> Result<String, TableError> {
        let mut before = self.log.before(&entry.room_id, entry.seq, CONTEXT_ENTRIES).await?;
        before.reverse();
        Ok(words_of(&before))
    }

    /// Translations of messages of one room, in their order: the stored ones where they are settled, else new ones, which are
    /// stored for everybody. Whoever corrects one meanwhile wins.
    pub async fn translate(
        &self,
        wanted: &[TranslationJob<'_>],
        context: &str,
        unknown: OnCacheMiss<'_>,
        on_failure: OnFailure,
    ) -> Result<Vec<Translation>, TranslatorError> {
        let mut made: Vec<Option<Translation>> = wanted.iter().map(|wanted| wanted.settled()).collect();
        let open: Vec<usize> = (0..wanted.len()).filter(|at| made[*at].is_none()).collect();
        let wanted: Vec<TranslationJob<'_>> = open.iter().map(|at| wanted[*at]).collect();
        if let Some(TranslationJob { entry, .. }) = wanted.first() {
            let account = BillingAccount::of(&entry.room_id);
            let mut totals = UsageTotals::default();
            let results = self.make(&wanted, context, unknown, &mut totals).await?;
            let kept = |translation: &Translation| on_failure == OnFailure::Store || translation.is_settled();
            let stored = stream::iter(wanted.iter().zip(results))
                .map(async |(wanted, result)| match kept(&result) {
                    true => self.store(*wanted, result).await,
                    false => Ok(result),
                })
                .buffered(AT_ONCE)
                .try_collect::<Vec<_>>();
            let counted = self.count(&account, &totals);
            let (stored, ()) = future::join(stored, counted).await;
            for (at, translation) in open.into_iter().zip(stored?) {
                made[at] = Some(translation);
            }
        }
        Ok(made.into_iter().flatten().collect())
    }

    /// Keeps what a person made of a message, for the same sentence in the same hospital. A short one may mean something else
    /// the next time.
    pub async fn remember(&self, wanted: TranslationJob<'_>, text: &str) -> Result<(), TranslatorError> {
        let TranslationJob { entry, .. } = wanted;
        if weight(&entry.message) < LETTERS && !deepl::is_stock_phrase(&entry.message, entry.language.as_ref()) {
            return Ok(());
        }
        let row = CachedTranslation {
            cache_key: self.keys(wanted, "").await?.corrected,
            text: text.to_owned(),
            detected_language: None,
            billed_characters: entry.message.chars().count() as u64,
            trace_id: None,
            by_person: true,
            expires_at: (self.clock.now() + REMEMBERED).seconds(),
        };
        Ok(self.cache.put(&row).await?)
    }

    /// New translations, none of them stored.
    async fn make(
        &self,
        wanted: &[TranslationJob<'_>],
        context: &str,
        unknown: OnCacheMiss<'_>,
        totals: &mut UsageTotals,
    ) -> Result<Vec<Translation>, TranslatorError> {
        let keys = future::try_join_all(wanted.iter().map(|wanted| self.keys(*wanted, context))).await?;
        let foreign = |at: &usize| !wanted[*at].reads_as_it_is();
        let mut known = self.known((0..wanted.len()).filter(foreign).map(|at| &keys[at])).await?;
        let mut missing: BTreeMap<Group<'_>, Vec<usize>> = BTreeMap::new();
        for at in (0..wanted.len()).filter(foreign) {
            let (wanted, keys) = (wanted[at], &keys[at]);
            match known.get(&keys.corrected).or_else(|| known.get(&keys.said)) {
                Some(found) => {
                    totals.cache_hits += 1;
                    totals.saved_characters += found.billed_characters;
                }
                None => missing.entry(wanted.group()).or_default().push(at),
            }
        }
        for members in missing.values_mut() {
            // Who says the same twice is translated once.
            members.sort_by_key(|at| &keys[*at].said);
            members.dedup_by_key(|at| &keys[*at].said);
        }
        let unknown = match unknown {
            OnCacheMiss::AskWithin(_) if self.deepl.is_out_of_reach() => OnCacheMiss::Fail(FailureReason::Unavailable),
            unknown => unknown,
        };
        let asked_for = missing.values().flatten().map(|at| wanted[*at].entry);
        let excessive = match unknown {
            OnCacheMiss::AskWithin(allowance) => self.excessive(allowance, asked_for).await?,
            OnCacheMiss::Ask | OnCacheMiss::Fail(_) => HashSet::new(),
        };
        let groups = missing.into_iter().map(async |(group, members)| {
            let (refused, members): (Vec<usize>, Vec<usize>) =
                members.into_iter().partition(|at| excessive.contains(&wanted[*at].entry.sender.user_id));
            let texts: Vec<&str> = members.iter().map(|at| wanted[*at].entry.message.as_str()).collect();
            let context = if group.stock { "" } else { context };
            let ask = |patience| {
                let request = Request { texts: &texts, source: group.source, target: group.target, context, patience };
                self.deepl.translate(request)
            };
            let asked = match unknown {
                OnCacheMiss::Fail(reason) => texts.iter().map(|_| Err(reason.into())).collect(),
                OnCacheMiss::Ask => ask(PATIENCE).await,
                OnCacheMiss::AskWithin(_) => ask(LONG_PATIENCE).await,
            };
            let refused = refused.into_iter().map(|at| (at, Err(FailureReason::RateLimited.into())));
            members.into_iter().zip(asked).chain(refused).collect::<Vec<_>>()
        });
        let mut failed: HashMap<&str, FailureReason> = HashMap::new();
        for (at, result) in future::join_all(groups).await.into_iter().flatten() {
            match result {
                Ok(translated) => {
                    totals.translations += 1;
                    totals.billed_characters += translated.billed_characters;
                    let row = self.keep(&keys[at].said, translated).await;
                    known.insert(row.cache_key.clone(), row);
                }
                Err(lost) => {
                    totals.failures += 1;
                    totals.billed_characters += lost.billed_characters;
                    report(lost, wanted[at].target);
                    failed.insert(&keys[at].said, lost.reason);
                }
            }
        }
        if !matches!(unknown, OnCacheMiss::Fail(_)) && failed.values().any(|reason| *reason == FailureReason::Quota) {
            self.pause().await;
        }
        let now = self.clock.now();
        let results = wanted.iter().zip(&keys).map(|(wanted, keys)| {
            let version = wanted.existing().map_or(1, |existing| existing.version + 1);
            if wanted.reads_as_it_is() {
                return Translation::same(wanted.entry.message.clone(), version, now);
            }
            let found = known.get(&keys.corrected).or_else(|| known.get(&keys.said));
            let reason = failed.get(keys.said.as_str()).copied().unwrap_or(FailureReason::Unavailable);
            found.map_or_else(|| Translation::failed(reason, version, now), |found| wanted.settle(found, version, now))
        });
        Ok(results.collect())
    }

    /// Whose texts are more than they may have translated by themselves now: one write for each writer.
    async fn excessive<'a>(
        &self,
        allowance: &TranslationAllowance,
        texts: impl Iterator<Item = &'a Entry>,
    ) -> Result<HashSet<&'a UserId>, TableError> {
        let mut characters: HashMap<&UserId, u64> = HashMap::new();
        for text in texts {
            *characters.entry(&text.sender.user_id).or_default() += text.message.chars().count() as u64;
        }
        let now = self.clock.now();
        let taken = characters.into_iter().map(async |(writer, characters)| {
            let granted = allowance.take(writer, characters, now).await?;
            Ok((!granted).then_some(writer))
        });
        Ok(future::try_join_all(taken).await?.into_iter().flatten().collect())
    }

    /// What the cache has of them, by key.
    async fn known<'a>(
        &self,
        keys: impl Iterator<Item = &'a Keys>,
    ) -> Result<HashMap<String, CachedTranslation>, TableError> {
        // What a person made of a sentence is found however long the machine's words are kept.
        let said = |keys: &'a Keys| Some(keys.said.as_str()).filter(|_| self.cache_days > 0);
        let mut names: Vec<&str> =
            keys.flat_map(|keys| said(keys).into_iter().chain([keys.corrected.as_str()])).collect();
        names.sort_unstable();
        names.dedup();
        let now = self.clock.now().seconds();
        // DynamoDB deletes what has expired when it comes to it.
        let rows = self.cache.get_all(names).await?.into_iter().filter(|row| now < row.expires_at);
        Ok(rows.map(|row| (row.cache_key.clone(), row)).collect())
    }

    /// Puts into the cache what DeepL said.
    async fn keep(&self, cache_key: &str, translated: Translated) -> CachedTranslation {
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
        // It is paid for: what the cache does not take costs another translation some day, and not this one again.
        if self.cache_days > 0
            && let Err(error) = self.cache.put(&row).await
        {
            tracing::warn!(error = chain(&error), "a translation was not cached");
        }
        row
    }

    /// Stores a translation for everybody, unless somebody else set one first: then that is what everyone sees.
    async fn store(&self, wanted: TranslationJob<'_>, made: Translation) -> Result<Translation, TranslatorError> {
        let TranslationJob { entry, target } = wanted;
        let existing = wanted.existing();
        let expected = existing.map(|translation| translation.version);
        if self.log.set_translation(&entry.room_id, entry.seq, target, &made, expected).await? {
            if existing.is_some() && made.is_settled() {
                self.mended(entry).await;
            }
            return Ok(made);
        }
        let current = self.log.entry(&entry.room_id, entry.seq).await?;
        Ok(current.and_then(|mut current| current.translations.remove(target)).unwrap_or(made))
    }

    /// A failure became a translation: the entry is no longer listed among those that failed, if it was the last one. Where that
    /// cannot be written, who lists them sees that nothing failed there.
    pub async fn mended(&self, entry: &Entry) {
        if let Err(error) = self.log.set_mended(entry).await {
            tracing::warn!(room = %entry.room_id, seq = %entry.seq, error = chain(&error), "a mended translation is still listed as failed");
        }
    }

    /// Counts for whom it was done. What is done is done: where it cannot be counted, the month's sum is a little too low.
    async fn count(&self, account: &BillingAccount, totals: &UsageTotals) {
        if let Err(error) = self.usage.add(account, totals, self.clock.now()).await {
            tracing::warn!(error = chain(&error), "translations were not counted");
        }
    }

    async fn pause(&self) {
        if let Err(error) = self.usage.pause(self.clock.now() + self.quota_pause).await {
            tracing::warn!(error = chain(&error), "others will find out for themselves that the quota is used up");
        }
    }

    /// Everything that shapes a result. What one hospital had translated tells nothing to another.
    async fn keys(&self, wanted: TranslationJob<'_>, context: &str) -> Result<Keys, SecretError> {
        let TranslationJob { entry, target } = wanted;
        let scope = match BillingAccount::of(&entry.room_id) {
            BillingAccount::Account => entry.room_id.to_string(),
            hospital @ BillingAccount::Hospital(_) => hospital.to_string(),
        };
        let source = entry.language.as_ref().map_or("", Language::as_str);
        let settings = self.deepl.settings(entry.language.as_ref(), target);
        let context = if wanted.group().stock { "" } else { context };
        let (text, target) = (entry.message.as_str(), target.as_str());
        Ok(Keys {
            said: self.digest.digest(&["translation", &scope, text, source, target, &settings, context]).await?,
            corrected: self.digest.digest(&["correction", &scope, text.trim(), source, target]).await?,
        })
    }
}

/// What DeepL may be asked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group<'a> {
    source: Option<&'a Language>,
    target: &'a Language,
    /// Without context.
    stock: bool,
}

impl<'a> TranslationJob<'a> {
    fn existing(&self) -> Option<&'a Translation> {
        self.entry.translations.get(self.target)
    }

    fn settled(&self) -> Option<Translation> {
        self.existing().filter(|translation| translation.is_settled()).cloned()
    }

    /// Whether who reads the language reads the message: it is in it, or has no words at all.
    fn reads_as_it_is(&self) -> bool {
        self.entry.language.as_ref().is_some_and(|source| source.reads_like(self.target))
            || !masking::has_words(&self.entry.message)
    }

    fn group(&self) -> Group<'a> {
        let source = self.entry.language.as_ref();
        Group { source, target: self.target, stock: deepl::is_stock_phrase(&self.entry.message, source) }
    }

    fn settle(&self, found: &CachedTranslation, version: u32, now: protocol::clock::Timestamp) -> Translation {
        match &found.detected_language {
            _ if found.by_person => Translation::by_memory(found.text.clone(), version, now),
            Some(detected) if self.entry.language.is_none() && detected.reads_like(self.target) => {
                Translation::same(self.entry.message.clone(), version, now)
            }
            _ => Translation::by_machine(found.text.clone(), version, now),
        }
    }
}

/// Counts a failure: also one for which DeepL was not asked, so that an alarm lasts as long as what it is about.
fn report(lost: Lost, target: &Language) {
    tracing::warn!(reason = ?lost.reason, %target, "a translation failed");
    if lost.billed_characters > 0 {
        metric::count(Metric::BilledCharacters, lost.billed_characters);
    }
    if lost.reason.is_for_operators() {
        metric::count(Metric::TranslationFailed, 1);
    }
    if lost.reason == FailureReason::Quota {
        metric::count(Metric::QuotaUsedUp, 1);
    }
}

/// How many letters of an alphabet a text's letters are worth: a Chinese character is about a word, and what Korean and Japanese
/// write a syllable with, half a short one.
fn weight(text: &str) -> usize {
    let letters = text.chars().filter(|letter| letter.is_alphabetic());
    letters
        .map(|letter| match letter {
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}' => 3,
            '\u{3041}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' => 2,
            _ => 1,
        })
        .sum()
}

/// What was said in these entries, in their order, as far as DeepL may read it.
pub fn words_of(entries: &[Entry]) -> String {
    entries.iter().filter(|entry| may_be_read(entry)).map(|entry| entry.message.as_str()).collect::<Vec<_>>().join("\n")
}

/// Whether DeepL may read an entry's words for the sake of another's. Context leaves the country as the text itself does, so in a
/// consult, whose people may not want that, they are words that were written to be translated by themselves or that somebody
/// had translated. Rooms of the other kinds have no such choice.
fn may_be_read(entry: &Entry) -> bool {
    let chosen = !entry.translate_to.is_empty() || !entry.translations.is_empty();
    entry.kind == EntryKind::Text && entry.deleted_at.is_none() && (chosen || entry.room_id.hospital().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_the_same_weight_in_every_script() {
        for text in ["我发烧了", "머리가 아파", "頭が痛い", "My head hurts", "Болит голова"] {
            assert!(weight(text) >= LETTERS, "{text}");
        }
        for text in
            ["네", "아니요", "그래요", "はい", "いいえ", "是", "没有", "可以", "yes", "No, thanks", "37.5", "👍"]
        {
            assert!(weight(text) < LETTERS, "{text}");
        }
    }
}
