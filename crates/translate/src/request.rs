//! The fields of the two actions.

use serde::Deserialize;
use shared::chat::MessageText;
use shared::ids::{RoomId, Seq};
use shared::language::Language;
use shared::runtime;
use shared::wire::{Frame, Refusal};

/// Which of the two.
pub enum Request {
    /// `translateMessage`
    Translate(Which),
    /// `setTranslatedMessage`
    Correct(Which, Correction),
}

/// The message and the language.
#[derive(Deserialize)]
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

#[derive(Deserialize)]
struct CorrectionFields {
    // Not flattened: then serde could not name the field that is wrong.
    room_id: RoomId,
    seq: Seq,
    language: Language,
    translated_message: String,
    version: Option<u32>,
}

impl runtime::Request for Request {
    fn parse(frame: Frame) -> Result<Self, Refusal> {
        if frame.action != "setTranslatedMessage" {
            return Ok(Self::Translate(frame.fields()?));
        }
        let fields: CorrectionFields = frame.fields()?;
        let text = MessageText::new(fields.translated_message)
            .map_err(|error| Refusal::invalid_text("translated_message", error))?;
        let which = Which { room_id: fields.room_id, seq: fields.seq, language: fields.language };
        Ok(Self::Correct(which, Correction { text, version: fields.version }))
    }
}
