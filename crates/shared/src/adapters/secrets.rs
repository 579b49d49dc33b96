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
    cache: Arc<Mutex<Option<CachedSecret>>>,
}

struct CachedSecret {
    valid_until: Timestamp,
    value: Arc<str>,
}

impl Secret {
    const REFRESH_INTERVAL: Duration = Duration::from_secs(5 * 60);
    /// How long the last value is used after a failed fetch before the next attempt.
    const RETRY_INTERVAL: Duration = Duration::from_secs(30);
    const TIMEOUT: Duration = Duration::from_secs(2);

    /// Fetches the secret at once, so that no invocation waits for it. If that fails, the first use tries again and
    /// reports it.
    pub async fn open(aws: &Aws, name: SecretName) -> Result<Self, ConfigError> {
        let secret = Self::new(aws.sdk(), name.read()?, Clock::System);
        if aws.warms_in_init()
            && let Err(error) = secret.value().await
        {
            tracing::warn!(error = %crate::error::chain(&error), "failed to fetch a secret at start-up");
        }
        Ok(secret)
    }

    /// `id` is the secret's name or ARN.
    pub fn new(sdk: &SdkConfig, id: String, clock: Clock) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Self::TIMEOUT).build();
        let config = aws_sdk_secretsmanager::config::Builder::from(sdk).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), id, clock, cache: Arc::default() }
    }

    /// The current value.
    pub async fn value(&self) -> Result<Arc<str>, SecretError> {
        let mut cache = self.cache.lock().await;
        if let Some(cached) = &*cache
            && self.clock.now() < cached.valid_until
        {
            return Ok(cached.value.clone());
        }
        match (self.fetch().await, &mut *cache) {
            (Ok(value), cache) => {
                *cache =
                    Some(CachedSecret { valid_until: self.clock.now() + Self::REFRESH_INTERVAL, value: value.clone() });
                Ok(value)
            }
            (Err(error), Some(cached)) => {
                let error = crate::error::chain(&error);
                tracing::warn!(secret = self.id, error, "failed to fetch a secret; keeping its last value");
                cached.valid_until = self.clock.now() + Self::RETRY_INTERVAL;
                Ok(cached.value.clone())
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<Arc<str>, SecretError> {
        let failed = |source| SecretError { id: self.id.clone(), source };
        let answer =
            self.client.get_secret_value().secret_id(&self.id).send().await.map_err(|error| failed(Box::new(error)))?;
        match answer.secret_string() {
            Some(value) => Ok(value.into()),
            None => Err(failed("the secret has no string value".into())),
        }
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

    /// A secret in a stubbed Secrets Manager.
    pub(crate) fn secret_in(manager: &HttpStub, clock: Clock) -> Secret {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("key", "secret", None, None, "test")))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(manager.url())
            .build();
        Secret::new(&sdk, "a-secret".to_owned(), clock)
    }

    /// The response of Secrets Manager with a secret's value.
    pub(crate) fn secret_response(value: &str) -> String {
        json!({"ARN": "arn", "Name": "a-secret", "SecretString": value}).to_string()
    }

    #[tokio::test]
    async fn secret_is_cached_and_survives_failed_fetches() {
        let manager = HttpStub::start().await;
        let clock = Clock::manual(Timestamp::default());
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
}
