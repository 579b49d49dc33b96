//! Parses the fields of `translateMessage` and `setTranslatedMessage`.

use protocol::access::Action;
use protocol::chat::MessageText;
use protocol::ids::{RoomId, Seq};
use protocol::language::Language;
use protocol::wire::requests::{SetTranslatedMessage, TranslateMessage};
use protocol::wire::{Frame, Refusal};
use shared::error::Error;
use shared::runtime;

pub enum Request {
    Translate(TranslationKey),
    Correct(TranslationKey, Correction),
}

/// Identifies one translation of one message.
pub struct TranslationKey {
    pub room_id: RoomId,
    pub seq: Seq,
    pub language: Language,
}

pub struct Correction {
    pub text: MessageText,
    /// The version that the person saw.
    pub version: Option<u32>,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Error> {
        match frame.action {
            Some(Action::TranslateMessage) => {
                let TranslateMessage { room_id, seq, language } = frame.fields()?;
                Ok(Self::Translate(TranslationKey { room_id, seq, language }))
            }
            Some(Action::SetTranslatedMessage) => {
                let fields: SetTranslatedMessage = frame.fields()?;
                let text = MessageText::new(fields.translated_message)
                    .map_err(|error| Refusal::invalid_text("translated_message", error))?;
                let key = TranslationKey { room_id: fields.room_id, seq: fields.seq, language: fields.language };
                Ok(Self::Correct(key, Correction { text, version: fields.version }))
            }
            other => Err(runtime::unserved_action(other)),
        }
    }
}
