//! Opens the doors that a function uses, and no others: one SDK configuration and one HTTP connection pool for all.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls;

use crate::audience::Audience;
use crate::auth::{Issuer, IssuerConfig, KeySet, Keys, Tokens};
use crate::bucket::Buckets;
use crate::clock::Clock;
use crate::config::{self, ConfigError, DeepLConfig, SecretName, TableName};
use crate::deepl::DeepL;
use crate::digest::DigestKey;
use crate::hangup::Hangup;
use crate::push::Push;
use crate::seats::Seats;
use crate::secrets::Secret;
use crate::table::{Connections, Guards, Log, Members, Profiles, Rooms, Sends, Sessions, Translations, Usage};
use crate::translator::Translator;

/// The way to every door.
#[derive(Debug)]
pub struct Doors {
    sdk: SdkConfig,
    dynamodb: aws_sdk_dynamodb::Client,
    warms: bool,
}

/// How long connections may take to open in INIT, for which Lambda gives ten seconds in all.
const WARMING: Duration = Duration::from_secs(2);

/// How long one attempt of a call may take: DynamoDB answers in milliseconds, and a TLS handshake in a small function takes most of a
/// second. An attempt that is not answered is made again by the SDK, whether or not it was applied; that is the same as a connection
/// that is cut after a write was applied, which the checker's faults try (`dynamodb.cut_after`, `dynamodb.never_answered`): a transaction
/// is told by its token, and every other write may come twice.
const ATTEMPT: Duration = Duration::from_millis(1_500);

impl Doors {
    /// Reads the SDK's configuration from the environment. All clients share one HTTP client: each would else have its own
    /// connections, and read the root certificates for itself.
    pub async fn open() -> Result<Self, ConfigError> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .build_https();
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
        let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
        let sdk = sdk.load().await;
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        Ok(Self { sdk, dynamodb, warms: config::warm_in_init()? })
    }

    /// Opens the connection to DynamoDB by a read whose answer does not matter. In INIT a function has a whole processor whatever
    /// its memory, and the TLS handshake is most of what a first call takes. Where it fails, the first invocation finds out.
    pub async fn warm<T>(&self, read: impl Future<Output = T>) {
        if self.warms {
            let _ = tokio::time::timeout(WARMING, read).await;
        }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        Clock::System
    }

    /// The `connections` table.
    pub fn connections(&self) -> Result<Connections, ConfigError> {
        Ok(Connections::new(self.dynamodb.clone(), TableName::Connections.read()?))
    }

    /// The `profiles` table.
    pub fn profiles(&self) -> Result<Profiles, ConfigError> {
        Ok(Profiles::new(self.dynamodb.clone(), TableName::Profiles.read()?))
    }

    /// The `rooms` table.
    pub fn rooms(&self) -> Result<Rooms, ConfigError> {
        Ok(Rooms::new(self.dynamodb.clone(), TableName::Rooms.read()?))
    }

    /// The `members` table.
    pub fn members(&self) -> Result<Members, ConfigError> {
        Ok(Members::new(self.dynamodb.clone(), TableName::Members.read()?))
    }

    /// The `messages` table.
    pub fn log(&self) -> Result<Log, ConfigError> {
        Ok(Log::new(self.dynamodb.clone(), TableName::Messages.read()?))
    }

    /// The `sends` table.
    pub fn sends(&self) -> Result<Sends, ConfigError> {
        Ok(Sends::new(self.dynamodb.clone(), TableName::Sends.read()?))
    }

    /// The `translations` table.
    pub fn translations(&self) -> Result<Translations, ConfigError> {
        Ok(Translations::new(self.dynamodb.clone(), TableName::Translations.read()?))
    }

    /// The `usage` table.
    pub fn usage(&self) -> Result<Usage, ConfigError> {
        Ok(Usage::new(self.dynamodb.clone(), TableName::Usage.read()?))
    }

    /// The `sessions` table, for who writes into it.
    pub fn sessions(&self) -> Result<Sessions, ConfigError> {
        Ok(Sessions::new(self.dynamodb.clone(), TableName::Sessions.read()?, config::session_audit()?))
    }

    /// The `guards` table.
    pub fn guards(&self) -> Result<Guards, ConfigError> {
        Ok(Guards::new(self.dynamodb.clone(), TableName::Guards.read()?))
    }

    /// How fast people may ask for what costs something.
    pub fn buckets(&self) -> Result<Buckets, ConfigError> {
        Ok(Buckets { guards: self.guards()?, rate: config::costly_rate()?, clock: self.clock() })
    }

    /// The checker of tokens, its issuers' keys fetched.
    pub async fn tokens(&self, issuers: Vec<IssuerConfig>) -> Result<Tokens, ConfigError> {
        let mut known = Vec::new();
        for config in issuers {
            let keys = match config.jwks.clone() {
                Some(url) => Keys::Published(KeySet::open(url).await),
                None => Keys::Shared(self.secret(SecretName::Token).await?),
            };
            known.push(Issuer { config, keys });
        }
        Ok(Tokens::new(known, self.clock()))
    }

    /// A secret, fetched at once, so that no invocation waits for it. Where that fails, the first use tries again and
    /// says so.
    pub async fn secret(&self, name: SecretName) -> Result<Secret, ConfigError> {
        let secret = Secret::new(&self.sdk, name.read()?);
        if self.warms
            && let Err(error) = secret.value().await
        {
            tracing::warn!(error = %crate::error::chain(&error), "a secret could not be fetched at the start");
        }
        Ok(secret)
    }

    /// The key of digests.
    pub async fn digest_key(&self) -> Result<DigestKey, ConfigError> {
        Ok(DigestKey::new(self.secret(SecretName::Digest).await?))
    }

    /// Rooms and the seats in them.
    pub fn seats(&self) -> Result<Seats, ConfigError> {
        Ok(Seats { rooms: self.rooms()?, members: self.members()? })
    }

    /// Who is listening.
    pub fn audience(&self) -> Result<Audience, ConfigError> {
        let full_delivery_limit = config::full_delivery_limit()?;
        Ok(Audience { members: self.members()?, connections: self.connections()?, full_delivery_limit })
    }

    /// Pushes to connections.
    pub fn push(&self) -> Push {
        Push::new(&self.sdk)
    }

    /// Ends connections.
    pub fn hangup(&self) -> Result<Hangup, ConfigError> {
        Ok(Hangup { push: self.push(), connections: self.connections()?, sessions: self.sessions()? })
    }

    /// Pushes to connections for somebody who waits.
    pub fn hasty_push(&self) -> Push {
        Push::hasty(&self.sdk)
    }

    /// The translator: cache, DeepL and the log.
    pub async fn translator(&self) -> Result<Translator, ConfigError> {
        Ok(Translator {
            log: self.log()?,
            cache: self.translations()?,
            cache_days: config::translation_cache_days()?,
            usage: self.usage()?,
            quota_pause: config::quota_pause()?,
            deepl: DeepL::new(DeepLConfig::read()?, self.secret(SecretName::DeepL).await?),
            digest: self.digest_key().await?,
            clock: self.clock(),
        })
    }
}
