//! What translation has cost so far, and whether that is enough.

use futures::future;

use super::fetch::{Batch, characters};
use super::{Translator, TranslatorError};
use crate::adapters::dynamodb::{BillingAccount, Decision, QuotaStatus, TableError, UsageTotals};
use crate::error::chain;
use crate::metric::{self, Metric};
use protocol::chat::FailureReason;
use protocol::ids::UserId;
use protocol::wire::Refusal;

/// A hospital's month on request, as a multiple of its budget for automatic translation: whoever is ill can go on
/// reading, and the hospital knows its largest bill.
const ON_REQUEST: u64 = 2;

impl Translator {
    /// Whether a hospital's messages are translated on request only, for the rest of the month.
    pub fn is_budget_spent(&self, quota: &QuotaStatus) -> bool {
        is_spent(quota.totals.billed_characters, self.limits.budget)
    }

    /// Whether nothing new is translated for anybody, for the rest of the day.
    pub fn is_stack_spent(&self, quota: &QuotaStatus) -> bool {
        is_spent(quota.stack_characters, self.limits.stack)
    }

    /// Refuses what a person asks for if the stack, their hospital or they themselves have spent what they may, and
    /// takes it out of their allowance otherwise.
    pub(super) async fn admit(&self, person: &UserId, batches: &[Batch<'_>]) -> Result<(), TranslatorError> {
        let Some(entry) = batches.iter().flat_map(|batch| &batch.jobs).map(|job| job.request.entry).next() else {
            return Ok(());
        };
        let now = self.clock.now();
        let account = BillingAccount::of(&entry.room_id);
        let quota = self.usage.quota_status(&account, now).await?;
        let is_stack_spent = self.is_stack_spent(&quota);
        if is_stack_spent {
            metric::count(Metric::QuotaUsedUp, 1);
        }
        if is_stack_spent || is_spent(quota.totals.billed_characters, self.limits.budget.saturating_mul(ON_REQUEST)) {
            tracing::warn!(%account, is_stack_spent, "refused a translation; its characters are used up");
            return Err(refused(Refusal::translation_unavailable(FailureReason::Quota)));
        }
        let characters = batches.iter().flat_map(|batch| &batch.jobs).map(|job| characters(job)).sum();
        match self.allowance.take(person, characters, now).await? {
            Decision::Allowed => Ok(()),
            Decision::Limited { retry_after } => Err(refused(Refusal::rate_limited(
                "you have had too much translated; try again later, or ask for a shorter message",
                retry_after,
            ))),
        }
    }

    /// Adds to the account's month and to the stack's day. The translations stand even if this fails; the totals are
    /// then slightly too low.
    pub(super) async fn count(&self, account: &BillingAccount, totals: &UsageTotals) {
        let month = self.usage.add(account, totals, self.clock.now());
        let counted = future::join(month, self.count_for_stack(totals.billed_characters)).await;
        for error in [counted.0.err(), counted.1.err()].into_iter().flatten() {
            tracing::warn!(error = chain(&error), "failed to count translations; a total is too low");
        }
    }

    async fn count_for_stack(&self, characters: u64) -> Result<(), TableError> {
        if self.limits.stack == 0 || characters == 0 {
            return Ok(());
        }
        let today = self.usage.add_to_day(characters, self.clock.now()).await?;
        if today >= self.limits.stack.div_ceil(2) {
            metric::count(Metric::StackCharactersHigh, 1);
        }
        Ok(())
    }
}

fn refused(refusal: Refusal) -> TranslatorError {
    TranslatorError::Refused(Box::new(refusal))
}

/// Whether a limit is reached; 0 is none.
fn is_spent(spent: u64, limit: u64) -> bool {
    limit > 0 && spent >= limit
}
