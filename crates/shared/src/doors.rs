//! Opens the doors that a function uses, and no others: one SDK configuration and one HTTP connection pool for all.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls;
use futures::future::try_join_all;

use crate::adapters::auth::{Issuer, IssuerConfig, KeySet, Keys, Tokens};
use crate::adapters::deepl::DeepL;
use crate::adapters::dynamodb::{
    Connections, Guards, IdempotencyRecords, Log, Members, Profiles, Rooms, Sessions, Translations, Usage,
};
use crate::adapters::push::Push;
use crate::adapters::secrets::Secret;
use crate::config::{self, ConfigError, DeepLConfig, SecretName, TableName};
use crate::services::audience::Audience;
use crate::services::connection_closer::ConnectionCloser;
use crate::services::digest::DigestKey;
use crate::services::membership::Membership;
use crate::services::rate_limiter::{Allowance, RateLimiter};
use crate::services::translator::Translator;
use protocol::clock::Clock;

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
    pub fn idempotency_records(&self) -> Result<IdempotencyRecords, ConfigError> {
        Ok(IdempotencyRecords::new(self.dynamodb.clone(), TableName::IdempotencyRecords.read()?))
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
    pub fn rate_limiter(&self) -> Result<RateLimiter, ConfigError> {
        Ok(RateLimiter { guards: self.guards()?, rate: config::costly_rate()?, clock: self.clock() })
    }

    /// How much of each person is translated by itself.
    pub fn allowance(&self) -> Result<Allowance, ConfigError> {
        Ok(Allowance { guards: self.guards()?, rate: config::auto_characters()? })
    }

    /// The checker of tokens, its issuers' keys fetched side by side: one that does not answer holds up none of the others.
    pub async fn tokens(&self, issuers: Vec<IssuerConfig>) -> Result<Tokens, ConfigError> {
        let open = async |config: IssuerConfig| {
            let keys = match config.jwks.clone() {
                Some(url) => Keys::Published(KeySet::open(url, self.clock()).await),
                None => Keys::Shared(self.secret(SecretName::Token).await?),
            };
            Ok(Issuer { config, keys })
        };
        Ok(Tokens::new(try_join_all(issuers.into_iter().map(open)).await?, self.clock()))
    }

    /// A secret, fetched at once, so that no invocation waits for it. Where that fails, the first use tries again and
    /// says so.
    pub async fn secret(&self, name: SecretName) -> Result<Secret, ConfigError> {
        let secret = Secret::new(&self.sdk, name.read()?, self.clock());
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
    pub fn membership(&self) -> Result<Membership, ConfigError> {
        Ok(Membership { rooms: self.rooms()?, members: self.members()? })
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
    pub fn closer(&self) -> Result<ConnectionCloser, ConfigError> {
        Ok(ConnectionCloser { push: self.push(), connections: self.connections()?, sessions: self.sessions()? })
    }

    /// Pushes to connections for somebody who waits.
    pub fn single_attempt_push(&self) -> Push {
        Push::single_attempt(&self.sdk)
    }

    /// The translator: cache, DeepL and the log.
    pub async fn translator(&self) -> Result<Translator, ConfigError> {
        Ok(Translator {
            log: self.log()?,
            cache: self.translations()?,
            cache_days: config::translation_cache_days()?,
            usage: self.usage()?,
            quota_pause: config::quota_pause()?,
            deepl: DeepL::new(DeepLConfig::read()?, self.secret(SecretName::DeepL).await?, self.clock()),
            digest: self.digest_key().await?,
            clock: self.clock(),
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::adapters::auth::TokenError;
    use crate::http_stub::HttpStub;

    #[tokio::test]
    async fn the_keys_of_several_issuers_are_fetched_side_by_side() {
        let issuers = HttpStub::pair_answering_together().await;
        let mut settings = Vec::new();
        for (issuer, name) in issuers.iter().zip(["one", "two"]) {
            let key = json!({"kid": "key", "kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
            issuer.respond_with(200, "", &json!({"keys": [key]}).to_string());
            settings.push(json!({"issuer": name, "prefix": name, "jwks": issuer.url(), "algorithm": "EdDSA"}));
        }
        let settings = IssuerConfig::list(&json!(settings).to_string()).expect("two issuers");
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let doors = Doors { dynamodb: aws_sdk_dynamodb::Client::new(&sdk), sdk, warms: false };
        // Neither answers before both were asked: one after the other, the first would be given up.
        let tokens = doors.tokens(settings).await.expect("two issuers");
        for name in ["one", "two"] {
            let parts = [json!({"alg": "EdDSA", "kid": "key"}), json!({"iss": name})];
            let [header, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            let found = tokens.check(&format!("{header}.{claims}.{}", "A".repeat(86))).await;
            assert!(
                matches!(found, Err(TokenError::Unauthorized("its signature does not match"))),
                "the key of {name} is there: {found:?}"
            );
        }
    }
}
