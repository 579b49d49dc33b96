//! When a person corrects a translation, their text replaces it, and an entry in the room's log records the correction
//! in the same transaction.

use protocol::access::{Action, Condition, Relation};
use protocol::chat::{Entry, SystemEvent, Translation};
use protocol::wire::{Code, Refusal, TranslationView};
use shared::adapters::dynamodb::Appended;
use shared::error::{Error, chain};
use shared::runtime::Caller;
use shared::services::append::{Attempt, append_with_retry};
use shared::services::rate_limiter::LimitedAction;
use shared::services::translator::TranslationRequest;

use crate::request::{Correction, TranslationKey};
use crate::route::Translate;

impl Translate {
    pub(crate) async fn correct(
        &self,
        caller: &Caller,
        key: &TranslationKey,
        correction: &Correction,
    ) -> Result<Translation, Error> {
        let log = &self.translator.log;
        append_with_retry(async |attempt| {
            let (relation, _, entry) = self.text_message(caller, Action::SetTranslatedMessage, key).await?;
            let condition = (entry.sender.participant == *caller.participant()).then_some(Condition::Sender);
            Action::SetTranslatedMessage.permits(relation, condition)?;
            let current = current_version(caller, key, correction, &entry)?;
            if attempt == 0 {
                self.rate_limiter.take(caller.user_id(), LimitedAction::Change).await?;
            }
            let now = self.clock.now();
            let text = correction.text.as_str().to_owned();
            let corrected = current.corrected(text, caller.user_id().clone(), now);
            let event = SystemEvent::TranslationCorrected { seq: key.seq, language: key.language.clone() };
            let tail = log.tail(&key.room_id, 1).await?;
            let record = Entry::system(key.room_id.clone(), tail.first(), caller.sender.clone(), event, now);
            let update = log.correction(&key.room_id, key.seq, &key.language, &corrected, current.version)?;
            if let Appended::Conflict { .. } = log.append(&record, vec![update]).await? {
                return Ok(Attempt::Conflict);
            }
            self.follow_up(relation, key, &entry, &corrected).await;
            Ok(Attempt::Done(corrected))
        })
        .await
    }

    /// Follow-up work that must not fail the correction. Only a hospital's correction is reused for the same sentence:
    /// one person's wording of their own message must not be put into somebody else's mouth.
    async fn follow_up(&self, relation: Relation, key: &TranslationKey, entry: &Entry, corrected: &Translation) {
        let request = TranslationRequest { entry, target: &key.language };
        let text = corrected.text.as_deref().unwrap_or_default();
        if relation == Relation::Staff
            && let Err(error) = self.translator.remember_correction(request, text).await
        {
            tracing::warn!(room = %key.room_id, error = chain(&error), "failed to remember a correction");
        }
        if entry.translations.get(&key.language).is_some_and(|translation| !translation.is_settled()) {
            self.translator.clear_failure(entry).await;
        }
    }
}

/// The current translation (which may be a failed one), if it is the one that the person saw.
fn current_version<'a>(
    caller: &Caller,
    key: &TranslationKey,
    correction: &Correction,
    entry: &'a Entry,
) -> Result<&'a Translation, Refusal> {
    let current = entry.translations.get(&key.language).ok_or_else(|| {
        Refusal::new(Code::NotFound, "this message has no translation into this language; call translateMessage first")
    })?;
    let is_outdated = match correction.version {
        Some(version) => version != current.version,
        // Without a version, the person cannot have seen another person's correction.
        None => current.by.as_ref().is_some_and(|by| by != caller.user_id()),
    };
    if is_outdated {
        let translation = TranslationView { language: key.language.clone(), translation: current.clone() };
        let refusal = Refusal::new(
            Code::Conflict,
            "somebody else changed this translation in the meantime; correct the attached version",
        );
        return Err(Refusal { translation: Some(Box::new(translation)), ..refusal });
    }
    Ok(current)
}
