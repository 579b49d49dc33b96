//! When a hospital asks, it gets the usage of its translations in a month, or the list of its messages whose
//! translations failed.

use std::collections::HashMap;

use protocol::access::{Action, Relation};
use protocol::clock::Clock;
use protocol::ids::Participant;
use protocol::wire::replies::{FailedTranslation, FailedTranslations, TranslationUsage};
use protocol::wire::requests::GetFailedTranslations;
use protocol::wire::{ENVELOPE_RESERVE, Month, PAGE_LIMIT, fit};
use serde::Serialize;
use shared::adapters::dynamodb::{BillingAccount, FailurePosition, Log, Usage};
use shared::config::TranslationReportConfig;
use shared::error::Error;
use shared::runtime::{Caller, Route};

use crate::cursor;
use crate::request::Request;

pub struct TranslationReport {
    pub usage: Usage,
    pub log: Log,
    pub config: TranslationReportConfig,
    pub clock: Clock,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    Usage(TranslationUsage),
    Failed(FailedTranslations),
}

impl Route for TranslationReport {
    type Request = Request;
    type Reply = Reply;

    async fn handle(&self, caller: &Caller, request: Request) -> Result<Reply, Error> {
        let action = match request {
            Request::Usage(_) => Action::GetUsage,
            Request::Failed(_) => Action::GetFailedTranslations,
        };
        let Participant::Hospital(hospital) = caller.participant() else {
            return Err(action.refusal(Relation::NoRoom).into());
        };
        let account = BillingAccount::Hospital(hospital.clone());
        match request {
            Request::Usage(query) => self.usage(&account, query.month).await,
            Request::Failed(page) => self.failed(&account, page).await,
        }
    }
}

impl TranslationReport {
    async fn usage(&self, account: &BillingAccount, month: Option<Month>) -> Result<Reply, Error> {
        let month = month.map_or_else(|| self.clock.now().month(), |month| month.as_str().to_owned());
        let totals = self.usage.month(account, &month).await?;
        #[expect(clippy::cast_precision_loss, reason = "a month's characters are far below 2^53")]
        let cost = totals.billed_characters as f64 * self.config.price / 1_000_000.0;
        Ok(Reply::Usage(TranslationUsage {
            month,
            billed_characters: totals.billed_characters,
            saved_characters: totals.saved_characters,
            translations: totals.translations,
            cache_hits: totals.cache_hits,
            failures: totals.failures,
            cost,
            budget_characters: Some(self.config.budget).filter(|budget| *budget > 0),
        }))
    }

    async fn failed(&self, account: &BillingAccount, page: GetFailedTranslations) -> Result<Reply, Error> {
        let after = page.cursor.as_deref().map(cursor::parse).transpose()?;
        let listed = self.log.failed(account, after.as_ref(), page.limit.get()).await?;
        let entries = self.log.entries(listed.rows.iter().map(|position| (&position.room_id, position.seq))).await?;
        let entries: HashMap<_, _> = entries.iter().map(|entry| ((&entry.room_id, entry.seq), entry)).collect();
        let failures_of = |position: &FailurePosition| {
            let Some(entry) = entries.get(&(&position.room_id, position.seq)) else { return Vec::new() };
            let failures = entry.translations.iter().filter(|(_, translation)| !translation.is_settled());
            let failures = failures.map(|(language, translation)| FailedTranslation {
                room_id: entry.room_id.clone(),
                seq: entry.seq,
                language: language.clone(),
                reason: translation.reason,
                at: translation.at,
            });
            failures.collect()
        };
        let (failed, _) = fit(listed.rows.iter().map(failures_of), PAGE_LIMIT - ENVELOPE_RESERVE);
        let more = listed.more || failed.len() < listed.rows.len();
        let last = listed.rows.into_iter().take(failed.len()).next_back();
        let next_cursor = last.filter(|_| more).as_ref().map(cursor::to_text);
        Ok(Reply::Failed(FailedTranslations { failed: failed.concat(), next_cursor }))
    }
}
