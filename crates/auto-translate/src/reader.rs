//! When a text is added to a room's log that somebody there does not read, then it is translated for them. The original was
//! delivered long before; nothing waits for this.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, stream};
use protocol::chat::{Entry, FailureReason, SystemEvent, TranslationMode};
use protocol::ids::{RoomId, Seq};
use shared::adapters::dynamodb::{Appended, BillingAccount, QuotaStatus, Rooms, TableError};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::rate_limiter::TranslationAllowance;
use shared::services::translator::{self, OnCacheMiss, OnFailure, TranslationJob, Translator, TranslatorError};

pub struct AutoTranslate {
    pub rooms: Rooms,
    pub translator: Translator,
    /// How many characters a hospital may have translated by themselves in a month; zero: no limit.
    pub budget: u64,
    /// How many characters each person may.
    pub allowance: TranslationAllowance,
}

/// How many rooms are translated side by side.
const AT_ONCE: usize = 8;
/// How far apart the entries of a room may be that are read and translated together.
const TOGETHER: u64 = 50;

impl StreamReader for AutoTranslate {
    async fn warm_up(&self) {
        let _ = self.rooms.get(&RoomId::NOWHERE).await;
    }

    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let mut rooms: BTreeMap<RoomId, Vec<Change>> = BTreeMap::new();
        for change in batch {
            if change.before.is_none() && !change.after.translate_to.is_empty() {
                rooms.entry(change.after.room_id.clone()).or_default().push(change);
            }
        }
        // A stream keeps the order of one row's changes, and each entry is a row of its own.
        rooms.values_mut().for_each(|changes| changes.sort_by_key(|change| change.after.seq));
        let standings = self.standings(rooms.keys()).await;
        let standings = &standings;
        stream::iter(&rooms)
            .map(async |(room, changes)| {
                let mut failed = Vec::new();
                let wish = self.is_wanted(room).await;
                for together in close_together(changes) {
                    let done = match (standings.get(&BillingAccount::of(room)), &wish) {
                        (_, Err(error)) => Err(Failed::Room(chain(error))),
                        (Some(Ok(quota)), Ok(true)) => self.translate(room, together, quota).await,
                        (Some(Err(error)), Ok(true)) => Err(Failed::QuotaStatus(chain(error))),
                        (_, Ok(false)) | (None, _) => Ok(()),
                    };
                    if let Err(error) = done {
                        let texts = together.len();
                        tracing::error!(%room, texts, error = chain(&error), "translations must come again");
                        metric::count(Metric::Failed, texts as u64);
                        failed.extend(together.iter().map(|change| change.sequence_number.clone()));
                    }
                }
                failed
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await
            .concat()
    }
}

/// Why translations must come again.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Translator(#[from] TranslatorError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("entry {0} is in the stream and not in the log")]
    Missing(Seq),
    #[error("how the hospital stands could not be read: {0}")]
    QuotaStatus(String),
    #[error("whether the room is translated could not be read: {0}")]
    Room(String),
}

impl AutoTranslate {
    /// How each of the rooms' payers stands.
    async fn standings(
        &self,
        rooms: impl Iterator<Item = &RoomId>,
    ) -> HashMap<BillingAccount, Result<QuotaStatus, TableError>> {
        let mut payers: Vec<BillingAccount> = Vec::new();
        for account in rooms.map(BillingAccount::of) {
            if !payers.contains(&account) {
                payers.push(account);
            }
        }
        let now = self.translator.clock.now();
        stream::iter(payers)
            .map(async |account| {
                let quota = self.translator.usage.quota_status(&account, now).await;
                (account, quota)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// Whether a room's people still want its messages translated by themselves. They did when the messages were written, but the
    /// stream may be far behind, and who has switched it off meanwhile means what was written before as well.
    async fn is_wanted(&self, room: &RoomId) -> Result<bool, TableError> {
        if room.hospital().is_none() {
            return Ok(true);
        }
        let row = self.rooms.get(room).await?;
        Ok(row.is_some_and(|row| row.translation() == TranslationMode::Auto))
    }

    /// Translates entries of one room, what is said around them being their context.
    async fn translate(&self, room: &RoomId, added: &[Change], quota: &QuotaStatus) -> Result<(), Failed> {
        let Some((first, last)) = added.first().zip(added.last()) else { return Ok(()) };
        if self.budget > 0 && quota.totals.billed_characters >= self.budget {
            return self.tell_of_the_limit(room, &last.after).await;
        }
        // A redelivered image is old: what counts is the entry as it stands now.
        let lowest = first.after.seq.get().saturating_sub(u64::from(translator::CONTEXT_ENTRIES));
        let lowest = Seq::try_from(lowest).unwrap_or(Seq::FIRST);
        let entries = self.translator.log.between(room, lowest, last.after.seq).await?;
        let context = context(&entries, added);
        let (mut wanted, mut missing): (Vec<TranslationJob<'_>>, _) = (Vec::new(), None);
        for Change { after: Entry { seq, translate_to, .. }, .. } in added {
            match entries.iter().find(|entry| entry.seq == *seq) {
                None => missing = Some(*seq),
                Some(entry) if entry.deleted_at.is_some() => {}
                Some(entry) => wanted.extend(translate_to.iter().map(|target| TranslationJob { entry, target })),
            }
        }
        let unknown = match quota.paused_until {
            Some(_) => OnCacheMiss::Fail(FailureReason::Quota),
            None => OnCacheMiss::AskWithin(&self.allowance),
        };
        self.translator.translate(&wanted, &context, unknown, OnFailure::Store).await?;
        // The others do not wait for it.
        missing.map_or(Ok(()), |seq| Err(Failed::Missing(seq)))
    }

    /// The room's people read, once a month, that from now on they have to ask for translations.
    async fn tell_of_the_limit(&self, room: &RoomId, met: &Entry) -> Result<(), Failed> {
        let month = self.translator.clock.now().month();
        append_with_retry(async |_| {
            let row = self.rooms.get(room).await?;
            if row.is_none_or(|row| row.limited_in.as_ref() == Some(&month)) {
                return Ok(Attempt::Done(()));
            }
            let tail = self.translator.log.tail(room, 1).await?;
            let event = SystemEvent::TranslationLimited { month: month.clone() };
            let now = self.translator.clock.now();
            let note = Entry::system(room.clone(), tail.first(), met.sender.clone(), event, now);
            Ok(match self.translator.log.append(&note, vec![self.rooms.limit(room, &month)?]).await? {
                Appended::Done => Attempt::Done(()),
                Appended::Again { .. } => Attempt::Conflict,
            })
        })
        .await
        .map_err(|error| Failed::QuotaStatus(error.to_string()))
    }
}

/// What was said around the added entries: before the first one and, where there are several, among them.
fn context(entries: &[Entry], added: &[Change]) -> String {
    let first = added.first().map_or(Seq::FIRST, |change| change.after.seq);
    let before = entries.partition_point(|entry| entry.seq < first);
    translator::words_of(if added.len() == 1 { &entries[..before] } else { entries })
}

/// Runs of changes whose entries are close enough to each other to be read at once.
fn close_together(changes: &[Change]) -> impl Iterator<Item = &[Change]> {
    let mut rest = changes;
    std::iter::from_fn(move || {
        let first = rest.first()?.after.seq.get();
        let close = rest.iter().take_while(|change| change.after.seq.get().saturating_sub(first) < TOGETHER).count();
        let (together, others) = rest.split_at(close);
        rest = others;
        Some(together)
    })
}
