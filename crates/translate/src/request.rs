//! The fields of the two actions.

use protocol::access::Action;
use protocol::chat::MessageText;
use protocol::ids::{RoomId, Seq};
use protocol::language::Language;
use protocol::wire::requests::{SetTranslatedMessage, TranslateMessage};
use protocol::wire::{Frame, Refusal};
use shared::error::Error;
use shared::runtime;

/// Which of the two.
pub enum Request {
    /// `translateMessage`
    Translate(Which),
    /// `setTranslatedMessage`
    Correct(Which, Correction),
}

/// The message and the language.
pub struct Which {
    pub room_id: RoomId,
    pub seq: Seq,
    pub language: Language,
}

/// A person's words.
pub struct Correction {
    pub text: MessageText,
    /// Of the translation that the person saw.
    pub version: Option<u32>,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Error> {
        match frame.action {
            Some(Action::TranslateMessage) => {
                let TranslateMessage { room_id, seq, language } = frame.fields()?;
                Ok(Self::Translate(Which { room_id, seq, language }))
            }
            Some(Action::SetTranslatedMessage) => {
                let fields: SetTranslatedMessage = frame.fields()?;
                let text = MessageText::new(fields.translated_message)
                    .map_err(|error| Refusal::invalid_text("translated_message", error))?;
                let which = Which { room_id: fields.room_id, seq: fields.seq, language: fields.language };
                Ok(Self::Correct(which, Correction { text, version: fields.version }))
            }
            other => Err(runtime::unserved_action(other)),
        }
    }
}
