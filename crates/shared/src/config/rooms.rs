//! What a new room starts with.

use protocol::chat::TranslationMode;

use super::environment::{ConfigError, parsed};

/// What a new consult starts with.
#[derive(Debug, Clone)]
pub struct NewRoomConfig {
    /// `CONSULT_TRANSLATION`: how the hospital wants a new consult translated.
    pub consult_translation: TranslationMode,
}

impl NewRoomConfig {
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self { consult_translation: parsed("CONSULT_TRANSLATION")? })
    }
}
