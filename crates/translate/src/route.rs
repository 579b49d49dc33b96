//! When somebody asks for a translation, they get the stored one, or a new one that is stored for the whole room.

use protocol::access::{Action, Relation};
use protocol::chat::{Entry, EntryKind, FailureReason, Room, Translation, TranslationMode};
use protocol::clock::Clock;
use protocol::wire::replies::Translated;
use protocol::wire::{Refusal, TranslationView};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::membership::Membership;
use shared::services::rate_limiter::{LimitedAction, RateLimiter};
use shared::services::translator::{OnCacheMiss, OnFailure, TranslationRequest, Translator};

use crate::request::{Request, TranslationKey};

pub struct Translate {
    pub membership: Membership,
    pub translator: Translator,
    pub rate_limiter: RateLimiter,
    pub clock: Clock,
}

/// Per message.
const MAX_LANGUAGES: usize = 10;

impl Route for Translate {
    type Request = Request;
    type Reply = Translated;

    async fn handle(&self, caller: &Caller, request: Request) -> Result<Translated, Error> {
        let (key, translation) = match request {
            Request::Translate(key) => {
                let translation = self.translate(caller, &key).await?;
                (key, translation)
            }
            Request::Correct(key, correction) => {
                let translation = self.correct(caller, &key, &correction).await?;
                (key, translation)
            }
        };
        Ok(Translated { translation: TranslationView { language: key.language, translation } })
    }
}

impl Translate {
    async fn translate(&self, caller: &Caller, key: &TranslationKey) -> Result<Translation, Error> {
        let (_, room, entry) = self.text_message(caller, Action::TranslateMessage, key).await?;
        if room.translation() == TranslationMode::Off {
            return Err(Refusal::forbidden(
                "translation is off in this consultation; turn it on with setRoomTranslation",
            )
            .into());
        }
        let existing = entry.translations.get(&key.language);
        if existing.is_none() && entry.translations.len() >= MAX_LANGUAGES {
            return Err(Refusal::forbidden("this message is already translated into ten languages, the maximum").into());
        }
        // Only a new translation is rate-limited and needs a context.
        let is_settled = existing.is_some_and(Translation::is_settled);
        let context = if is_settled {
            String::new()
        } else {
            self.rate_limiter.take(caller.user_id(), LimitedAction::Translation).await?;
            self.translator.context_before(&entry).await?
        };
        let requests = [TranslationRequest { entry: &entry, target: &key.language }];
        let on_miss = OnCacheMiss::AskFor(caller.user_id());
        let translations = self.translator.translate(&requests, &context, on_miss, OnFailure::ReturnOnly).await?;
        match translations.into_iter().next() {
            Some(Translation { reason: Some(reason), .. }) => Err(Refusal::translation_unavailable(reason).into()),
            Some(translation) => Ok(translation),
            None => Err(Refusal::translation_unavailable(FailureReason::Unavailable).into()),
        }
    }

    /// The message, its room and the caller's relation to the room, if the caller may see the message.
    pub(crate) async fn text_message(
        &self,
        caller: &Caller,
        action: Action,
        key: &TranslationKey,
    ) -> Result<(Relation, Room, Entry), Error> {
        let (member_and_room, entry) = tokio::join!(
            self.membership.with_room(action, &key.room_id, caller.participant()),
            self.translator.log.entry(&key.room_id, key.seq)
        );
        let (member, room) = member_and_room?;
        let entry = entry?.ok_or_else(Refusal::no_such_message)?;
        if entry.kind != EntryKind::Text || entry.deleted_at.is_some() {
            return Err(Refusal::bad_request(
                "`seq`: this entry has no text to translate; name a text message that is not deleted",
            )
            .into());
        }
        Ok((Relation::of_member(&member), room, entry))
    }
}
