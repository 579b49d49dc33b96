//! When a message is added to a room's log, it is translated for the members who don't read its language. The original
//! has long been delivered by then; nothing waits for the translation.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, stream};
use protocol::chat::{Entry, EntryKind, FailureReason, SystemEvent, TranslationMode};
use protocol::ids::{RoomId, Seq};
use protocol::language::Languages;
use shared::adapters::dynamodb::{Appended, BillingAccount, QuotaStatus, Rooms, TableError};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::translator::{self, OnCacheMiss, OnFailure, TranslationRequest, Translator, TranslatorError};

pub struct AutoTranslate {
    pub rooms: Rooms,
    pub translator: Translator,
}

/// How many rooms are translated concurrently.
const MAX_CONCURRENCY: usize = 8;
/// The largest distance in `seq` between entries of a room that are read and translated together.
const MAX_GROUP_SPAN: u64 = 50;

impl StreamReader for AutoTranslate {
    async fn warm_up(&self) {
        let _ = self.rooms.get(&RoomId::NOWHERE).await;
    }

    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let mut rooms: BTreeMap<RoomId, Vec<Change>> = BTreeMap::new();
        for change in batch {
            if requested_languages(&change).is_some() {
                rooms.entry(change.after.room_id.clone()).or_default().push(change);
            }
        }
        // The stream keeps the order of changes to one row only, and each entry is a row of its own.
        rooms.values_mut().for_each(|changes| changes.sort_by_key(|change| change.after.seq));
        let quotas = self.quotas(rooms.keys()).await;
        let quotas = &quotas;
        stream::iter(&rooms)
            .map(async |(room, changes)| {
                let mut failed = Vec::new();
                let is_enabled = self.is_enabled(room).await;
                for group in close_groups(changes) {
                    let result = match (quotas.get(&BillingAccount::of(room)), &is_enabled) {
                        (_, Err(error)) => Err(AutoTranslateError::Room(chain(error))),
                        (Some(Ok(quota)), Ok(true)) => self.translate(room, group, quota).await,
                        (Some(Err(error)), Ok(true)) => Err(AutoTranslateError::QuotaStatus(chain(error))),
                        (_, Ok(false)) | (None, _) => Ok(()),
                    };
                    if let Err(error) = result {
                        let messages = group.len();
                        tracing::error!(%room, messages, error = chain(&error), "failed to translate; retrying");
                        metric::count(Metric::Failed, messages as u64);
                        failed.extend(group.iter().map(|change| change.sequence_number.clone()));
                    }
                }
                failed
            })
            .buffer_unordered(MAX_CONCURRENCY)
            .collect::<Vec<_>>()
            .await
            .concat()
    }
}

/// Lambda delivers the changes again after any of these.
#[derive(Debug, thiserror::Error)]
enum AutoTranslateError {
    #[error(transparent)]
    Translator(#[from] TranslatorError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("entry {0} is in the stream but not in the log")]
    Missing(Seq),
    #[error("failed to read the hospital's usage: {0}")]
    QuotaStatus(String),
    #[error("failed to read the room's translation mode: {0}")]
    Room(String),
    #[error("failed to announce the translation limit: {0}")]
    Announcement(String),
}

impl AutoTranslate {
    /// The quota status of each account that the rooms belong to.
    async fn quotas(
        &self,
        rooms: impl Iterator<Item = &RoomId>,
    ) -> HashMap<BillingAccount, Result<QuotaStatus, TableError>> {
        let mut accounts: Vec<BillingAccount> = Vec::new();
        for account in rooms.map(BillingAccount::of) {
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        let now = self.translator.clock.now();
        stream::iter(accounts)
            .map(async |account| {
                let quota = self.translator.usage.quota_status(&account, now).await;
                (account, quota)
            })
            .buffer_unordered(MAX_CONCURRENCY)
            .collect()
            .await
    }

    /// Whether automatic translation is on in a room. It was when the messages were written, but the stream may be far
    /// behind, and switching it off applies to messages that are still waiting.
    async fn is_enabled(&self, room: &RoomId) -> Result<bool, TableError> {
        if room.hospital().is_none() {
            return Ok(true);
        }
        let row = self.rooms.get(room).await?;
        Ok(row.is_some_and(|row| row.translation() == TranslationMode::Auto))
    }

    /// Translates new entries of one room, with the entries around them as context.
    async fn translate(&self, room: &RoomId, added: &[Change], quota: &QuotaStatus) -> Result<(), AutoTranslateError> {
        let Some((first, last)) = added.first().zip(added.last()) else { return Ok(()) };
        if self.translator.is_budget_spent(quota) {
            return self.announce_limit(room, &last.after).await;
        }
        // A redelivered change may be outdated, so the entries are read as they stand now.
        let lowest = first.after.seq.get().saturating_sub(u64::from(translator::CONTEXT_ENTRIES));
        let lowest = Seq::try_from(lowest).unwrap_or(Seq::FIRST);
        let entries = self.translator.log.between(room, lowest, last.after.seq).await?;
        let context = context(&entries, added);
        let mut requests: Vec<TranslationRequest<'_>> = Vec::new();
        let mut missing = None;
        for change in added {
            let seq = change.after.seq;
            match entries.iter().find(|entry| entry.seq == seq) {
                None => missing = Some(seq),
                Some(entry) if entry.deleted_at.is_some() || entry.kind != EntryKind::Text => {}
                Some(entry) => {
                    let targets = requested_languages(change).into_iter().flat_map(Languages::iter);
                    requests.extend(targets.map(|target| TranslationRequest { entry, target }));
                }
            }
        }
        let is_paused = quota.paused_until.is_some() || self.translator.is_stack_spent(quota);
        let on_miss = if is_paused { OnCacheMiss::Fail(FailureReason::Quota) } else { OnCacheMiss::AskForWriters };
        self.translator.translate(&requests, &context, on_miss, OnFailure::Store).await?;
        // Reported only now, so that a missing entry does not hold up the others.
        missing.map_or(Ok(()), |seq| Err(AutoTranslateError::Missing(seq)))
    }

    /// Tells the room, once a month, that from now on translations have to be requested one by one.
    async fn announce_limit(&self, room: &RoomId, entry: &Entry) -> Result<(), AutoTranslateError> {
        let month = self.translator.clock.now().month();
        append_with_retry(async |_| {
            let row = self.rooms.get(room).await?;
            if row.is_none_or(|row| row.limited_in.as_ref() == Some(&month)) {
                return Ok(Attempt::Done(()));
            }
            let tail = self.translator.log.tail(room, 1).await?;
            let event = SystemEvent::TranslationLimited { month: month.clone() };
            let now = self.translator.clock.now();
            let note = Entry::system(room.clone(), tail.first(), entry.sender.clone(), event, now);
            Ok(match self.translator.log.append(&note, vec![self.rooms.limit(room, &month)?]).await? {
                Appended::Done => Attempt::Done(()),
                Appended::Conflict { .. } => Attempt::Conflict,
            })
        })
        .await
        .map_err(|error| AutoTranslateError::Announcement(error.to_string()))
    }
}

/// The languages that a change asks for: those of a new text, or those that were added to it later.
fn requested_languages(change: &Change) -> Option<&Languages> {
    let added = &change.after.also_translate_to;
    let requested = match &change.before {
        None => Some(&change.after.translate_to),
        Some(before) => Some(added).filter(|added| **added != before.also_translate_to),
    };
    requested.filter(|languages| !languages.is_empty())
}

/// The context of the added entries: the entries before the first one and, if several are added, those in between.
fn context(entries: &[Entry], added: &[Change]) -> String {
    let first = added.first().map_or(Seq::FIRST, |change| change.after.seq);
    let before = entries.partition_point(|entry| entry.seq < first);
    translator::context_text(if added.len() == 1 { &entries[..before] } else { entries })
}

/// Splits changes into groups whose entries are close enough to be read with one query.
fn close_groups(changes: &[Change]) -> impl Iterator<Item = &[Change]> {
    let mut rest = changes;
    std::iter::from_fn(move || {
        let first = rest.first()?.after.seq.get();
        let is_close = |change: &&Change| change.after.seq.get().saturating_sub(first) < MAX_GROUP_SPAN;
        let (group, others) = rest.split_at(rest.iter().take_while(is_close).count());
        rest = others;
        Some(group)
    })
}
