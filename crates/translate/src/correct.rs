//! When a person corrects a translation, then their word is the translation, and the log says so at the same instant.

use shared::chat::{Entry, SystemEvent, Translation};
use shared::error::Error;
use shared::runtime::Caller;
use shared::table::Appended;
use shared::tries::Tries;
use shared::wire::{Code, Detail, Refusal, TranslationView};

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
        let mut tries = Tries::default();
        loop {
            let entry = self.text(caller, which).await?;
            let current = permitted(caller, which, correction, &entry)?;
            let now = self.clock.now();
            let text = correction.text.as_str().to_owned();
            let corrected = Translation::by_person(text, caller.user_id().clone(), current.version + 1, now);
            let event = SystemEvent::TranslationCorrected { seq: which.seq, language: which.language.clone() };
            let tail = log.tail(&which.room_id, 1).await?;
            let record = Entry::system(which.room_id.clone(), tail.first(), caller.sender.clone(), event, now);
            let part = log.correction(&which.room_id, which.seq, &which.language, &corrected, current.version)?;
            match log.append(&record, vec![part]).await? {
                Appended::Done => return Ok(corrected),
                Appended::Again { .. } => tries.again().await?,
            }
        }
    }
}

/// Only the hospital side or the message's own sender corrects a translation that there is (or that failed), and only the
/// one that they saw. Gives back the one that stands.
fn permitted<'a>(
    caller: &Caller,
    which: &Which,
    correction: &Correction,
    entry: &'a Entry,
) -> Result<&'a Translation, Refusal> {
    if !caller.participant().is_hospital() && entry.sender.user_id != *caller.user_id() {
        return Err(Refusal::forbidden("only the hospital or the message's own sender corrects a translation"));
    }
    let current = entry.translations.get(&which.language).ok_or_else(|| {
        Refusal::new(Code::NotFound, "this message has no translation into this language; translateMessage makes one")
    })?;
    if correction.version.is_some_and(|version| version != current.version) {
        let translation = TranslationView { language: which.language.clone(), translation: current.clone() };
        return Err(Refusal {
            code: Code::Conflict,
            message: "somebody else has changed this translation meanwhile".to_owned(),
            detail: Some(Detail::Current { translation }),
        });
    }
    Ok(current)
}
