//! When somebody asks for a translation, then they get the one there is, or a new one that everybody sees.

use protocol::access::{Action, Relation};
use protocol::chat::{Entry, EntryKind, FailureReason, Room, Translation, TranslationMode};
use protocol::clock::Clock;
use protocol::wire::replies::Translated;
use protocol::wire::{Refusal, TranslationView};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::membership::Membership;
use shared::services::rate_limiter::{LimitedAction, RateLimiter};
use shared::services::translator::{OnCacheMiss, OnFailure, TranslationJob, Translator};

use crate::request::{Request, Which};

pub struct Translate {
    pub membership: Membership,
    pub translator: Translator,
    pub rate_limiter: RateLimiter,
    pub clock: Clock,
}

/// No message is kept in more languages than this.
const MOST_LANGUAGES: usize = 10;

impl Route for Translate {
    type Request = Request;
    type Reply = Translated;

    async fn handle(&self, caller: &Caller, request: Request) -> Result<Translated, Error> {
        let (which, translation) = match request {
            Request::Translate(which) => {
                let translation = self.translate(caller, &which).await?;
                (which, translation)
            }
            Request::Correct(which, correction) => {
                let translation = self.correct(caller, &which, &correction).await?;
                (which, translation)
            }
        };
        Ok(Translated { translation: TranslationView { language: which.language, translation } })
    }
}

impl Translate {
    async fn translate(&self, caller: &Caller, which: &Which) -> Result<Translation, Error> {
        let (_, room, entry) = self.text(caller, Action::TranslateMessage, which).await?;
        if room.translation() == TranslationMode::Off {
            return Err(Refusal::forbidden("translation is switched off in this consultation").into());
        }
        let known = entry.translations.get(&which.language);
        if known.is_none() && entry.translations.len() >= MOST_LANGUAGES {
            return Err(Refusal::forbidden("this message is translated into ten languages already").into());
        }
        // What is stored is a read: only a new translation needs to know what was said before.
        let settled = known.is_some_and(Translation::is_settled);
        let context = if settled {
            String::new()
        } else {
            self.rate_limiter.take(caller.user_id(), LimitedAction::Translation).await?;
            self.translator.context(&entry).await?
        };
        let wanted = [TranslationJob { entry: &entry, target: &which.language }];
        let translations = self.translator.translate(&wanted, &context, OnCacheMiss::Ask, OnFailure::Tell).await?;
        match translations.into_iter().next() {
            Some(Translation { reason: Some(reason), .. }) => Err(Refusal::translation_unavailable(reason).into()),
            Some(translation) => Ok(translation),
            None => Err(Refusal::translation_unavailable(FailureReason::Unavailable).into()),
        }
    }

    /// The message, if it is one and the caller may see it, its room, and what the caller is to that.
    pub(crate) async fn text(
        &self,
        caller: &Caller,
        action: Action,
        which: &Which,
    ) -> Result<(Relation, Room, Entry), Error> {
        let (seat, entry) = tokio::join!(
            self.membership.with_room(action, &which.room_id, caller.participant()),
            self.translator.log.entry(&which.room_id, which.seq)
        );
        let (member, room) = seat?;
        let entry = entry?.ok_or_else(Refusal::no_such_message)?;
        if entry.kind != EntryKind::Text || entry.deleted_at.is_some() {
            return Err(Refusal::bad_request("`seq`: this entry has no words to translate").into());
        }
        Ok((Relation::of_member(&member), room, entry))
    }
}
