//! When a person corrects a translation, then their word is the translation, and the log says so at the same instant.

use protocol::access::{Action, Condition, Relation};
use protocol::chat::{Entry, SystemEvent, Translation};
use protocol::wire::{Code, Refusal, TranslationView};
use shared::adapters::dynamodb::Appended;
use shared::error::Error;
use shared::runtime::Caller;
use shared::services::append::{Attempt, append_with_retry};
use shared::services::rate_limiter::LimitedAction;
use shared::services::translator::TranslationJob;

use crate::request::{Correction, Which};
use crate::route::Translate;

impl Translate {
    pub(crate) async fn correct(
        &self,
        caller: &Caller,
        which: &Which,
        correction: &Correction,
    ) -> Result<Translation, Error> {
        let log = &self.translator.log;
        append_with_retry(async |attempt| {
            let (relation, _, entry) = self.text(caller, Action::SetTranslatedMessage, which).await?;
            let own = (entry.sender.participant == *caller.participant()).then_some(Condition::Sender);
            Action::SetTranslatedMessage.permits(relation, own)?;
            let current = seen(caller, which, correction, &entry)?;
            if attempt == 0 {
                self.rate_limiter.take(caller.user_id(), LimitedAction::Change).await?;
            }
            let now = self.clock.now();
            let text = correction.text.as_str().to_owned();
            let corrected = current.corrected(text, caller.user_id().clone(), now);
            let event = SystemEvent::TranslationCorrected { seq: which.seq, language: which.language.clone() };
            let tail = log.tail(&which.room_id, 1).await?;
            let record = Entry::system(which.room_id.clone(), tail.first(), caller.sender.clone(), event, now);
            let part = log.correction(&which.room_id, which.seq, &which.language, &corrected, current.version)?;
            if let Appended::Again { .. } = log.append(&record, vec![part]).await? {
                return Ok(Attempt::Conflict);
            }
            self.remember(relation, which, entry, &corrected).await;
            Ok(Attempt::Done(corrected))
        })
        .await
    }

    /// The correction stands; that it is not found again for the same sentence, or that a failure is still listed, would be a pity and
    /// no more. Only a hospital's is offered again: what one person makes of their own words puts none into another's mouth.
    async fn remember(&self, relation: Relation, which: &Which, entry: Entry, corrected: &Translation) {
        let wanted = TranslationJob { entry: &entry, target: &which.language };
        let text = corrected.text.as_deref().unwrap_or_default();
        if relation == Relation::Staff
            && let Err(error) = self.translator.remember(wanted, text).await
        {
            tracing::warn!(room = %which.room_id, error = shared::error::chain(&error), "a correction is not remembered");
        }
        if entry.translations.get(&which.language).is_some_and(|translation| !translation.is_settled()) {
            self.translator.mended(&entry).await;
        }
    }
}

/// A person corrects a translation that there is (or that failed), and only the one that they saw. Gives back the one that
/// stands.
fn seen<'a>(
    caller: &Caller,
    which: &Which,
    correction: &Correction,
    entry: &'a Entry,
) -> Result<&'a Translation, Refusal> {
    let current = entry.translations.get(&which.language).ok_or_else(|| {
        Refusal::new(Code::NotFound, "this message has no translation into this language; translateMessage makes one")
    })?;
    let unseen = match correction.version {
        Some(version) => version != current.version,
        // Who names no version has not seen what another person has made of it.
        None => current.by.as_ref().is_some_and(|by| by != caller.user_id()),
    };
    if unseen {
        let translation = TranslationView { language: which.language.clone(), translation: current.clone() };
        let refusal = Refusal::new(Code::Conflict, "somebody else has changed this translation meanwhile");
        return Err(Refusal { translation: Some(Box::new(translation)), ..refusal });
    }
    Ok(current)
}
