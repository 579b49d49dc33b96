//! What a new room starts with.

use protocol::chat::TranslationMode;
use protocol::language::Language;

use super::environment::{ConfigError, parsed};

/// What a new consult starts with.
#[derive(Debug, Clone)]
pub struct NewRoomConfig {
    /// `HOSPITAL_LANGUAGE`: the language of a hospital that has no profile yet.
    pub hospital_language: Language,
    /// `CONSULT_TRANSLATION`: how the hospital wants a new consult translated.
    pub consult_translation: TranslationMode,
}

impl NewRoomConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            hospital_language: parsed("HOSPITAL_LANGUAGE")?,
            consult_translation: parsed("CONSULT_TRANSLATION")?,
        })
    }
}
