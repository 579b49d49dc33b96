//! Secrets Manager.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;

use crate::aws::Aws;
use crate::config::{ConfigError, SecretName};
use protocol::clock::{Clock, Timestamp};

/// A secret could not be fetched, and no earlier value is cached.
#[derive(Debug, thiserror::Error)]
#[error("failed to fetch the secret {id}")]
pub struct SecretError {
    id: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

crate::error::fails!(SecretError);

/// A secret, fetched on first use and again after five minutes, so that a change needs no redeploy. While Secrets
/// Manager is unreachable, the last value stays in use.
#[derive(Clone)]
pub struct Secret {
    client: Client,
    id: String,
    clock: Clock,
    /// How long its previous value counts as well after a rotation.
    overlap: Duration,
    cache: Arc<Mutex<Option<CachedSecret>>>,
}

struct CachedSecret {
    valid_until: Timestamp,
    current: Arc<str>,
    /// The value before the last rotation, and until when it counts.
    previous: Option<(Arc<str>, Timestamp)>,
    /// When it was last fetched because none of its values matched.
    renewed_at: Option<Timestamp>,
}

impl CachedSecret {
    /// The values that count now, the current one first.
    fn values(&self, now: Timestamp) -> impl Iterator<Item = &Arc<str>> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(value, _)| value);
        std::iter::once(&self.current).chain(previous)
    }
}

/// One version of a secret.
struct SecretVersion {
    value: Arc<str>,
    created_at: Timestamp,
}

impl Secret {
    const REFRESH_INTERVAL: Duration = Duration::from_secs(5 * 60);
    /// How long the last value is used after a failed fetch before the next attempt.
    const RETRY_INTERVAL: Duration = Duration::from_secs(30);
    /// How often at most a value that does not match causes a fetch.
    const RENEW_INTERVAL: Duration = Duration::from_secs(5);
    /// How long after a rotation signatures with the previous token secret are accepted.
    const TOKEN_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
    const TIMEOUT: Duration = Duration::from_secs(2);

    /// Fetches the secret at once, so that no invocation waits for it. If that fails, the first use tries again and
    /// reports it.
    pub async fn open(aws: &Aws, name: SecretName) -> Result<Self, ConfigError> {
        let overlap = match name {
            SecretName::Token => Self::TOKEN_OVERLAP,
            SecretName::Digest | SecretName::DeepL => Duration::ZERO,
        };
        let secret = Self::new(aws.sdk(), name.read()?, overlap, Clock::System);
        if aws.warms_in_init()
            && let Err(error) = secret.value().await
        {
            tracing::warn!(error = %crate::error::chain(&error), "failed to fetch a secret at start-up");
        }
        Ok(secret)
    }

    /// `id` is the secret's name or ARN.
    pub fn new(sdk: &SdkConfig, id: String, overlap: Duration, clock: Clock) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Self::TIMEOUT).build();
        let config = aws_sdk_secretsmanager::config::Builder::from(sdk).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), id, clock, overlap, cache: Arc::default() }
    }

    /// The current value.
    pub async fn value(&self) -> Result<Arc<str>, SecretError> {
        let mut cache = self.cache.lock().await;
        Ok(self.cached(&mut cache).await?.current.clone())
    }

    /// What `check` returns for the first value that it accepts: the current one or, for a time, the one before. If it
    /// accepts neither, the secret may have been rotated just now, and is fetched again.
    pub async fn find<T>(&self, check: impl Fn(&str) -> Option<T>) -> Result<Option<T>, SecretError> {
        let mut cache = self.cache.lock().await;
        let now = self.clock.now();
        let cached = self.cached(&mut cache).await?;
        let found = cached.values(now).find_map(|value| check(value));
        if found.is_some() || cached.renewed_at.is_some_and(|at| now.since(at) < Self::RENEW_INTERVAL) {
            return Ok(found);
        }
        let renewed = self.refreshed(&mut cache).await?;
        renewed.renewed_at = Some(now);
        Ok(renewed.values(now).find_map(|value| check(value)))
    }

    async fn cached<'a>(&self, cache: &'a mut Option<CachedSecret>) -> Result<&'a mut CachedSecret, SecretError> {
        if cache.as_ref().is_none_or(|cached| cached.valid_until <= self.clock.now()) {
            return self.refreshed(cache).await;
        }
        match cache {
            Some(cached) => Ok(cached),
            None => self.refreshed(cache).await,
        }
    }

    /// Fetches the secret. If that fails, the last value stays.
    async fn refreshed<'a>(&self, cache: &'a mut Option<CachedSecret>) -> Result<&'a mut CachedSecret, SecretError> {
        match (self.fetch().await, cache) {
            (Ok(mut fetched), cache) => {
                fetched.renewed_at = cache.as_ref().and_then(|cached| cached.renewed_at);
                Ok(cache.insert(fetched))
            }
            (Err(error), Some(cached)) => {
                let error = crate::error::chain(&error);
                tracing::warn!(secret = self.id, error, "failed to fetch a secret; keeping its last value");
                cached.valid_until = self.clock.now() + Self::RETRY_INTERVAL;
                Ok(cached)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<CachedSecret, SecretError> {
        let SecretVersion { value, created_at } =
            self.version("AWSCURRENT").await?.ok_or_else(|| self.failed("the secret has no value yet".into()))?;
        let until = created_at + self.overlap;
        let now = self.clock.now();
        // Most of the time there was no rotation recently, and one call is enough.
        let previous = if now < until { self.previous().await } else { None };
        Ok(CachedSecret {
            valid_until: now + Self::REFRESH_INTERVAL,
            current: value,
            previous: previous.map(|value| (value, until)),
            renewed_at: None,
        })
    }

    /// The value before the last rotation. If it cannot be fetched, the current one must do.
    async fn previous(&self) -> Option<Arc<str>> {
        let version = self.version("AWSPREVIOUS").await.unwrap_or_else(|error| {
            let error = crate::error::chain(&error);
            tracing::warn!(secret = self.id, error, "failed to fetch a secret's previous value");
            None
        });
        version.map(|version| version.value)
    }

    /// The version with a staging label; `None` if there is none.
    async fn version(&self, stage: &str) -> Result<Option<SecretVersion>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(&self.id).version_stage(stage).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(self.failed(Box::new(error))),
        };
        let created = answer.created_date().and_then(|date| date.secs().try_into().ok());
        match answer.secret_string() {
            Some(value) => Ok(Some(SecretVersion {
                value: value.into(),
                created_at: created.map(Timestamp::from_seconds).unwrap_or_default(),
            })),
            None => Err(self.failed("the secret has no string value".into())),
        }
    }

    fn failed(&self, source: Box<dyn std::error::Error + Send + Sync>) -> SecretError {
        SecretError { id: self.id.clone(), source }
    }
}

/// Debug output never contains the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.id)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_secretsmanager::config::retry::RetryConfig;
    use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
    use serde_json::json;

    use super::*;
    use crate::http_stub::HttpStub;

    /// A secret in a stubbed Secrets Manager, whose previous value counts for a day after a rotation.
    pub(crate) fn secret_in(manager: &HttpStub, clock: Clock) -> Secret {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("key", "secret", None, None, "test")))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(manager.url())
            .build();
        Secret::new(&sdk, "a-secret".to_owned(), Secret::TOKEN_OVERLAP, clock)
    }

    /// The response of Secrets Manager with a value that was stored long ago.
    pub(crate) fn secret_response(value: &str) -> String {
        json!({"ARN": "arn", "Name": "a-secret", "SecretString": value}).to_string()
    }

    /// Replaces the value at a time, and keeps the one before as the previous version.
    pub(crate) fn rotate(manager: &HttpStub, from: &str, to: &str, at: Timestamp) {
        let current = json!({"ARN": "arn", "Name": "a-secret", "SecretString": to, "CreatedDate": at.seconds()});
        manager.respond_with(200, "", &current.to_string());
        manager.respond_to("AWSPREVIOUS", 200, &secret_response(from));
    }

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Whether something that is signed with `value` is accepted.
    async fn accepts(secret: &Secret, value: &str) -> bool {
        secret.find(|known| (known == value).then_some(())).await.expect("a value is cached").is_some()
    }

    /// A secret with the value `one`, which has been fetched.
    async fn fetched_secret() -> (HttpStub, Clock, Secret) {
        let manager = HttpStub::start().await;
        let clock = Clock::manual(Timestamp::from_seconds(1_795_000_000));
        let secret = secret_in(&manager, clock);
        manager.respond_with(200, "", &secret_response("one"));
        assert!(accepts(&secret, "one").await);
        (manager, clock, secret)
    }

    #[tokio::test]
    async fn secret_is_cached_and_survives_failed_fetches() {
        let manager = HttpStub::start().await;
        let clock = Clock::manual(Timestamp::default() + 2 * DAY);
        let secret = secret_in(&manager, clock);
        manager.respond_with(500, "", "{}");
        assert!(secret.value().await.is_err(), "no earlier value is cached");
        manager.respond_with(200, "", &secret_response("one"));
        assert_eq!(&*secret.value().await.expect("one"), "one", "failures are not cached");
        manager.respond_with(200, "", &secret_response("two"));
        clock.advance(Duration::from_millis(299_999));
        assert_eq!(&*secret.value().await.expect("one"), "one");
        clock.advance(Duration::from_millis(1));
        assert_eq!(&*secret.value().await.expect("two"), "two");
        manager.respond_with(500, "", "{}");
        clock.advance(Duration::from_secs(300));
        assert_eq!(&*secret.value().await.expect("cached"), "two");
        manager.respond_with(200, "", &secret_response("three"));
        clock.advance(Duration::from_millis(29_999));
        assert_eq!(
            &*secret.value().await.expect("cached"),
            "two",
            "after a failure the next attempt is 30 seconds later"
        );
        clock.advance(Duration::from_millis(1));
        assert_eq!(&*secret.value().await.expect("three"), "three");
        assert_eq!(manager.request_count(), 5);
    }

    #[tokio::test]
    async fn rotated_value_is_found_at_once_beside_its_predecessor() {
        let (manager, clock, secret) = fetched_secret().await;
        rotate(&manager, "one", "two", clock.now());
        assert!(accepts(&secret, "two").await);
        assert!(accepts(&secret, "one").await);
        assert_eq!(manager.request_count(), 3, "the value, then both");
        clock.advance(Duration::from_millis(299_999));
        assert!(accepts(&secret, "one").await);
        assert_eq!(manager.request_count(), 3, "both are cached");
    }

    #[tokio::test]
    async fn unknown_values_cause_a_fetch_every_five_seconds() {
        let (manager, clock, secret) = fetched_secret().await;
        for guess in ["a", "b", "c"] {
            assert!(!accepts(&secret, guess).await);
        }
        assert_eq!(manager.request_count(), 2);
        rotate(&manager, "one", "two", clock.now());
        clock.advance(Duration::from_millis(4_999));
        assert!(!accepts(&secret, "two").await);
        assert_eq!(manager.request_count(), 2);
        clock.advance(Duration::from_millis(1));
        assert!(accepts(&secret, "two").await);
    }

    #[tokio::test]
    async fn predecessor_is_accepted_for_a_day() {
        let (manager, clock, secret) = fetched_secret().await;
        rotate(&manager, "one", "two", clock.now());
        assert!(accepts(&secret, "two").await);
        clock.advance(DAY - Duration::from_millis(1));
        assert!(accepts(&secret, "one").await);
        clock.advance(Duration::from_millis(1));
        assert!(!accepts(&secret, "one").await);
        assert!(accepts(&secret, "two").await);
    }

    #[tokio::test]
    async fn predecessor_without_its_label_is_dropped() {
        let (manager, clock, secret) = fetched_secret().await;
        rotate(&manager, "one", "two", clock.now());
        assert!(accepts(&secret, "two").await);
        manager.respond_to("AWSPREVIOUS", 400, r#"{"__type":"ResourceNotFoundException"}"#);
        clock.advance(Secret::REFRESH_INTERVAL);
        assert!(!accepts(&secret, "one").await);
        assert!(accepts(&secret, "two").await);
    }

    #[tokio::test]
    async fn failed_renewal_keeps_the_last_value() {
        let (manager, _, secret) = fetched_secret().await;
        manager.respond_with(500, "", "{}");
        assert!(!accepts(&secret, "two").await);
        assert!(accepts(&secret, "one").await);
    }
}
