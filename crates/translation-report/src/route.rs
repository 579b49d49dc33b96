//! When a hospital asks, then it reads what its translations of a month came to, or which of its messages could not be
//! translated.

use std::collections::HashMap;

use serde::Serialize;
use shared::access::{Action, Relation};
use shared::chat::FailureReason;
use shared::clock::{Clock, Timestamp};
use shared::error::Error;
use shared::ids::{Participant, RoomId, Seq};
use shared::language::Language;
use shared::runtime::{Caller, Route};
use shared::table::{FailurePosition, Log, Payer, Usage};
use shared::wire::{ENVELOPE_RESERVE, PAGE_LIMIT, fit};

use crate::cursor::Cursor;
use crate::request::{Month, Page, Request};

/// The route and its doors.
pub struct TranslationReport {
    pub usage: Usage,
    pub log: Log,
    pub budget: u64,
    /// Of a million characters.
    pub price: f64,
    pub clock: Clock,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To `getUsage`.
    Usage {
        month: String,
        billed_characters: u64,
        saved_characters: u64,
        translations: u64,
        cache_hits: u64,
        failures: u64,
        /// What the billed characters cost, by the price that the stack was told.
        cost: f64,
        /// How many characters there are for automatic translation in a month.
        #[serde(skip_serializing_if = "Option::is_none")]
        budget_characters: Option<u64>,
    },
    /// To `getFailedTranslations`, newest first.
    Failed {
        failed: Vec<Failed>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<Cursor>,
    },
}

/// A translation that there is none of.
#[derive(Clone, Serialize)]
pub struct Failed {
    room_id: RoomId,
    seq: Seq,
    language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<FailureReason>,
    at: Timestamp,
}

impl Route for TranslationReport {
    type Request = Request;
    type Reply = Reply;

    async fn answer(&self, caller: &Caller, request: Request) -> Result<Reply, Error> {
        let action = match request {
            Request::Usage(_) => Action::GetUsage,
            Request::Failed(_) => Action::GetFailedTranslations,
        };
        let Participant::Hospital(hospital) = caller.participant() else {
            return Err(action.refusal(Relation::NoRoom).into());
        };
        let payer = Payer::Hospital(hospital.clone());
        match request {
            Request::Usage(month) => self.usage(&payer, month).await,
            Request::Failed(page) => self.failed(&payer, page).await,
        }
    }
}

impl TranslationReport {
    async fn usage(&self, payer: &Payer, month: Option<Month>) -> Result<Reply, Error> {
        let month = month.map_or_else(|| self.clock.now().month(), |Month(month)| month);
        let tally = self.usage.month(payer, &month).await?;
        // Characters of a month are far below where a float is no longer exact.
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let cost = tally.billed_characters as f64 * self.price / 1_000_000.0;
        Ok(Reply::Usage {
            month,
            billed_characters: tally.billed_characters,
            saved_characters: tally.saved_characters,
            translations: tally.translations,
            cache_hits: tally.cache_hits,
            failures: tally.failures,
            cost,
            budget_characters: Some(self.budget).filter(|budget| *budget > 0),
        })
    }

    async fn failed(&self, payer: &Payer, page: Page) -> Result<Reply, Error> {
        let after = page.cursor.map(|Cursor(position)| position);
        let found = self.log.failed(payer, after.as_ref(), page.limit.get()).await?;
        let entries = self.log.entries(found.rows.iter().map(|position| (&position.room_id, position.seq))).await?;
        let entries: HashMap<_, _> = entries.iter().map(|entry| ((&entry.room_id, entry.seq), entry)).collect();
        let failures_of = |position: &FailurePosition| {
            let Some(entry) = entries.get(&(&position.room_id, position.seq)) else { return Vec::new() };
            let failures = entry.translations.iter().filter(|(_, translation)| !translation.is_settled());
            let failures = failures.map(|(language, translation)| Failed {
                room_id: entry.room_id.clone(),
                seq: entry.seq,
                language: language.clone(),
                reason: translation.reason,
                at: translation.at,
            });
            failures.collect()
        };
        let (failed, _) = fit(found.rows.iter().map(failures_of), PAGE_LIMIT - ENVELOPE_RESERVE);
        let more = found.more || failed.len() < found.rows.len();
        let last = found.rows.into_iter().take(failed.len()).next_back();
        Ok(Reply::Failed { failed: failed.concat(), next_cursor: last.filter(|_| more).map(Cursor) })
    }
}
