//! The names of the stack's tables and secrets.

use super::environment::{ConfigError, required};

/// The tables of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableName {
    Connections,
    Profiles,
    Rooms,
    Members,
    Messages,
    Sends,
    Translations,
    Usage,
    Sessions,
    Guards,
}

impl TableName {
    /// Reads the table's name from its variable, for example `ROOMS_TABLE`.
    pub fn read(self) -> Result<String, ConfigError> {
        required(match self {
            Self::Connections => "CONNECTIONS_TABLE",
            Self::Profiles => "PROFILES_TABLE",
            Self::Rooms => "ROOMS_TABLE",
            Self::Members => "MEMBERS_TABLE",
            Self::Messages => "MESSAGES_TABLE",
            Self::Sends => "SENDS_TABLE",
            Self::Translations => "TRANSLATIONS_TABLE",
            Self::Usage => "USAGE_TABLE",
            Self::Sessions => "SESSIONS_TABLE",
            Self::Guards => "GUARDS_TABLE",
        })
    }
}

/// The secrets of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretName {
    /// Signs HS256 tokens, or a trusted proxy's headers.
    Token,
    /// Keys the digests of messages and of the translation cache.
    Digest,
    /// The DeepL key.
    DeepL,
}

impl SecretName {
    /// Reads the secret's ARN from its variable.
    pub fn read(self) -> Result<String, ConfigError> {
        required(match self {
            Self::Token => "TOKEN_SECRET_ID",
            Self::Digest => "DIGEST_SECRET_ID",
            Self::DeepL => "DEEPL_SECRET_ID",
        })
    }
}
