//! The one place that reads the environment. What a function may read is what its `Environment` in `template.yaml` sets.
#![expect(clippy::disallowed_methods, reason = "this is the module that reads the environment for all others")]

use std::str::FromStr;

use crate::adapters::auth::IssuerConfig;
use protocol::language::Language;

/// A variable that is missing or that does not say what it should.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// Set to something else.
    #[error("the environment variable {name} {reason}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// What it should be.
        reason: String,
    },
}

fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

fn parsed<T: FromStr>(name: &'static str) -> Result<Option<T>, ConfigError>
where
    T::Err: std::fmt::Display,
{
    optional(name)
        .map(|value| value.parse().map_err(|error: T::Err| ConfigError::Invalid { name, reason: error.to_string() }))
        .transpose()
}

/// The names of the tables, per stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableName {
    /// `CONNECTIONS_TABLE`
    Connections,
    /// `PROFILES_TABLE`
    Profiles,
    /// `ROOMS_TABLE`
    Rooms,
    /// `MEMBERS_TABLE`
    Members,
    /// `MESSAGES_TABLE`
    Messages,
    /// `SENDS_TABLE`
    IdempotencyRecords,
    /// `TRANSLATIONS_TABLE`
    Translations,
    /// `USAGE_TABLE`
    Usage,
    /// `SESSIONS_TABLE`
    Sessions,
    /// `GUARDS_TABLE`
    Guards,
}

impl TableName {
    /// Reads the variable of this table.
    pub fn read(self) -> Result<String, ConfigError> {
        required(match self {
            Self::Connections => "CONNECTIONS_TABLE",
            Self::Profiles => "PROFILES_TABLE",
            Self::Rooms => "ROOMS_TABLE",
            Self::Members => "MEMBERS_TABLE",
            Self::Messages => "MESSAGES_TABLE",
            Self::IdempotencyRecords => "SENDS_TABLE",
            Self::Translations => "TRANSLATIONS_TABLE",
            Self::Usage => "USAGE_TABLE",
            Self::Sessions => "SESSIONS_TABLE",
            Self::Guards => "GUARDS_TABLE",
        })
    }
}

/// The ids (ARNs) of the secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretName {
    /// `TOKEN_SECRET_ID`: the HS256 secret of the tokens.
    Token,
    /// `DIGEST_SECRET_ID`: the key of digests and of the translation cache.
    Digest,
    /// `DEEPL_SECRET_ID`: the DeepL key.
    DeepL,
}

impl SecretName {
    /// Reads the variable of this secret.
    pub fn read(self) -> Result<String, ConfigError> {
        required(match self {
            Self::Token => "TOKEN_SECRET_ID",
            Self::Digest => "DIGEST_SECRET_ID",
            Self::DeepL => "DEEPL_SECRET_ID",
        })
    }
}

/// How tokens are checked.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// `TOKEN_IN_QUERY`: whether `?token=` is looked at.
    pub in_query: bool,
    /// `ALLOWED_ORIGINS`: the browser origins that may connect, separated by commas; `*` for any.
    pub allowed_origins: Vec<String>,
    /// `TOKEN_ISSUERS`: whose tokens are taken.
    pub issuers: Vec<IssuerConfig>,
}

impl TokenConfig {
    /// Reads the variables.
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            in_query: parsed("TOKEN_IN_QUERY")?.unwrap_or(false),
            allowed_origins: required("ALLOWED_ORIGINS")?.split(',').map(|origin| origin.trim().to_owned()).collect(),
            issuers: token_issuers()?,
        })
    }
}

/// How DeepL is asked.
#[derive(Debug, Clone)]
pub struct DeepLConfig {
    /// `DEEPL_ENDPOINT`: where DeepL answers; unset: chosen by the key.
    pub endpoint: Option<String>,
    /// `DEEPL_MODEL`: the `model_type`.
    pub model: String,
    /// `DEEPL_FREE_KEYS`: whether a key of the free tier is taken.
    pub free_keys: bool,
    /// `REDACT_NUMBERS`: whether numbers that identify a person are left out of what is sent.
    pub redact: bool,
    glossaries: Vec<Glossary>,
}

/// `ko>ja=<id>`
#[derive(Debug, Clone)]
struct Glossary {
    source: Language,
    target: Language,
    id: String,
}

impl FromStr for Glossary {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (pair, id) = text.split_once('=')?;
            let (source, target) = pair.split_once('>')?;
            let (source, target) = (source.trim().parse().ok()?, target.trim().parse().ok()?);
            Some(Self { source, target, id: id.trim().to_owned() }).filter(|glossary| !glossary.id.is_empty())
        };
        read().ok_or("must be glossaries such as `ko>ja=<id>`, separated by commas")
    }
}

impl DeepLConfig {
    /// Reads the variables; `DEEPL_GLOSSARIES` among them, `ko>ja=<id>,ko>en=<id>`.
    pub fn read() -> Result<Self, ConfigError> {
        let name = "DEEPL_GLOSSARIES";
        let glossaries = optional(name).unwrap_or_default();
        let glossaries = glossaries.split(',').filter(|one| !one.trim().is_empty()).map(str::parse);
        let glossaries = glossaries.collect::<Result<_, &str>>();
        Ok(Self {
            endpoint: optional("DEEPL_ENDPOINT"),
            model: required("DEEPL_MODEL")?,
            free_keys: parsed("DEEPL_FREE_KEYS")?.ok_or(ConfigError::Missing("DEEPL_FREE_KEYS"))?,
            redact: parsed("REDACT_NUMBERS")?.ok_or(ConfigError::Missing("REDACT_NUMBERS"))?,
            glossaries: glossaries.map_err(|reason| ConfigError::Invalid { name, reason: reason.to_owned() })?,
        })
    }

    /// The glossary of a pair. DeepL wants the source to be known for it.
    pub fn glossary(&self, source: Option<&Language>, target: &Language) -> Option<&str> {
        let fits = |one: &&Glossary| {
            source.is_some_and(|source| one.source.reads_like(source)) && one.target.reads_like(target)
        };
        self.glossaries.iter().find(fits).map(|glossary| glossary.id.as_str())
    }
}

/// `TOKEN_ISSUERS`: whose tokens are taken.
pub fn token_issuers() -> Result<Vec<IssuerConfig>, ConfigError> {
    let name = "TOKEN_ISSUERS";
    let issuers = IssuerConfig::list(&optional(name).unwrap_or_default());
    issuers.map_err(|error| ConfigError::Invalid { name, reason: error.to_string() })
}

/// What shows who is connecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// A token, or a ticket.
    Tokens,
    /// Headers that a trusted proxy has signed.
    Proxy,
}

impl FromStr for Credentials {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tokens" => Ok(Self::Tokens),
            "proxy" => Ok(Self::Proxy),
            _ => Err("must be `tokens` or `proxy`"),
        }
    }
}

impl Credentials {
    /// Reads `CREDENTIALS`.
    pub fn read() -> Result<Self, ConfigError> {
        parsed("CREDENTIALS")?.ok_or(ConfigError::Missing("CREDENTIALS"))
    }
}

/// `MAX_CONNECTIONS`: how many connections a person may have at once.
pub fn max_connections() -> Result<usize, ConfigError> {
    parsed("MAX_CONNECTIONS")?.ok_or(ConfigError::Missing("MAX_CONNECTIONS"))
}

/// `CONNECTS_PER_MINUTE`: how often a person may connect within a minute, and at once after a pause.
pub fn connect_rate() -> Result<crate::adapters::dynamodb::Rate, ConfigError> {
    let often = parsed("CONNECTS_PER_MINUTE")?.ok_or(ConfigError::Missing("CONNECTS_PER_MINUTE"))?;
    Ok(crate::adapters::dynamodb::Rate::new(often, std::time::Duration::from_secs(60), often))
}

/// `SESSION_AUDIT_DAYS`: for how many days it is kept when and from where a person was connected.
pub fn session_audit() -> Result<std::time::Duration, ConfigError> {
    let days: u64 = parsed("SESSION_AUDIT_DAYS")?.ok_or(ConfigError::Missing("SESSION_AUDIT_DAYS"))?;
    Ok(std::time::Duration::from_secs(24 * 60 * 60 * days))
}

/// `COSTLY_PER_MINUTE` and `COSTLY_BURST`: how fast one person may ask for what costs something.
pub fn costly_rate() -> Result<crate::adapters::dynamodb::Rate, ConfigError> {
    let per_minute = parsed("COSTLY_PER_MINUTE")?.ok_or(ConfigError::Missing("COSTLY_PER_MINUTE"))?;
    let burst = parsed("COSTLY_BURST")?.ok_or(ConfigError::Missing("COSTLY_BURST"))?;
    Ok(crate::adapters::dynamodb::Rate::new(per_minute, std::time::Duration::from_secs(60), burst))
}

/// `AUTO_CHARACTERS_PER_HOUR`: how many characters of one person are translated by themselves; zero: any number.
pub fn auto_characters() -> Result<crate::adapters::dynamodb::Rate, ConfigError> {
    let name = "AUTO_CHARACTERS_PER_HOUR";
    let per_hour = parsed(name)?.ok_or(ConfigError::Missing(name))?;
    Ok(crate::adapters::dynamodb::Rate::new(per_hour, std::time::Duration::from_secs(60 * 60), per_hour))
}

/// `TRANSLATION_CACHE_DAYS`: for how many days what DeepL said is kept and used again; zero: not at all.
pub fn translation_cache_days() -> Result<u64, ConfigError> {
    parsed("TRANSLATION_CACHE_DAYS")?.ok_or(ConfigError::Missing("TRANSLATION_CACHE_DAYS"))
}

/// `TRANSLATION_BUDGET`: how many characters a hospital may have translated by themselves in a month; zero: no limit.
pub fn translation_budget() -> Result<u64, ConfigError> {
    parsed("TRANSLATION_BUDGET")?.ok_or(ConfigError::Missing("TRANSLATION_BUDGET"))
}

/// `DEEPL_PRICE`: what a million characters cost, in whatever currency DeepL bills.
pub fn deepl_price() -> Result<f64, ConfigError> {
    parsed("DEEPL_PRICE")?.ok_or(ConfigError::Missing("DEEPL_PRICE"))
}

/// `QUOTA_PAUSE_SECONDS`: for how long DeepL is not asked by itself once it has said that the account's characters are used up.
pub fn quota_pause() -> Result<std::time::Duration, ConfigError> {
    let pause = parsed("QUOTA_PAUSE_SECONDS")?.map(std::time::Duration::from_secs);
    pause.ok_or(ConfigError::Missing("QUOTA_PAUSE_SECONDS"))
}

/// `CONSULT_TRANSLATION`: how a new consult is translated.
pub fn consult_translation() -> Result<protocol::chat::TranslationMode, ConfigError> {
    parsed("CONSULT_TRANSLATION")?.ok_or(ConfigError::Missing("CONSULT_TRANSLATION"))
}

/// `HOSPITAL_LANGUAGE`: what a hospital reads that has no profile yet.
pub fn hospital_language() -> Result<Language, ConfigError> {
    parsed("HOSPITAL_LANGUAGE")?.ok_or(ConfigError::Missing("HOSPITAL_LANGUAGE"))
}

/// `FULL_DELIVERY_LIMIT`: with more connections than this, only those of a participant that joined the room get each
/// of its messages.
pub fn full_delivery_limit() -> Result<usize, ConfigError> {
    parsed("FULL_DELIVERY_LIMIT")?.ok_or(ConfigError::Missing("FULL_DELIVERY_LIMIT"))
}

/// `EXPRESS_LIMIT`: who sends a message pushes it to so many connections at most; more, and everything if it is zero, is
/// left to the stream.
pub fn express_limit() -> Result<usize, ConfigError> {
    parsed("EXPRESS_LIMIT")?.ok_or(ConfigError::Missing("EXPRESS_LIMIT"))
}

/// `WARM_IN_INIT`: whether a function opens its connections before it takes its first invocation.
pub fn warm_in_init() -> Result<bool, ConfigError> {
    parsed("WARM_IN_INIT")?.ok_or(ConfigError::Missing("WARM_IN_INIT"))
}

/// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
pub fn function_name() -> String {
    optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()
}

/// `LOG_LEVEL`: the least severe level that is logged; `info` where it is not set.
pub fn log_level() -> Result<tracing::Level, ConfigError> {
    Ok(parsed("LOG_LEVEL")?.unwrap_or(tracing::Level::INFO))
}

/// `SEND_WINDOW_MS`: eight messages of one person in a row within this time are too fast; zero turns the check off.
pub fn send_window() -> Result<std::time::Duration, ConfigError> {
    parsed("SEND_WINDOW_MS")?.map(std::time::Duration::from_millis).ok_or(ConfigError::Missing("SEND_WINDOW_MS"))
}

/// `MUTE_SECONDS`: for how long who sends the same text again and again sends nothing more in that room; zero: as long as it is the same.
pub fn mute() -> Result<std::time::Duration, ConfigError> {
    parsed("MUTE_SECONDS")?.map(std::time::Duration::from_secs).ok_or(ConfigError::Missing("MUTE_SECONDS"))
}
