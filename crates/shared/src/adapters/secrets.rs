//! The door to Secrets Manager.

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

/// A secret could not be had, and none is kept from before.
#[derive(Debug, thiserror::Error)]
#[error("the secret {id} could not be read")]
pub struct SecretError {
    id: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

crate::error::fails!(SecretError);

/// One secret: fetched when first needed and again after five minutes, so that a change needs no redeploy. While Secrets
/// Manager is out of reach, the last value is kept.
#[derive(Clone)]
pub struct Secret {
    client: Client,
    id: String,
    clock: Clock,
    held: Arc<Mutex<Option<Held>>>,
}

struct Held {
    good_until: Timestamp,
    value: Arc<str>,
}

impl Secret {
    const KEPT: Duration = Duration::from_secs(5 * 60);
    /// How long the last value serves before Secrets Manager is asked again, after it did not answer.
    const REST: Duration = Duration::from_secs(30);
    const TIMEOUT: Duration = Duration::from_secs(2);

    /// Fetches the secret at once, so that no invocation waits for it. If that fails, the first use tries again and reports it.
    pub async fn open(aws: &Aws, name: SecretName) -> Result<Self, ConfigError> {
        let secret = Self::new(aws.sdk(), name.read()?, Clock::System);
        if aws.warms_in_init()
            && let Err(error) = secret.value().await
        {
            tracing::warn!(error = %crate::error::chain(&error), "failed to fetch a secret at start-up");
        }
        Ok(secret)
    }

    /// The secret of this id (ARN).
    pub fn new(sdk: &SdkConfig, id: String, clock: Clock) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Self::TIMEOUT).build();
        let config = aws_sdk_secretsmanager::config::Builder::from(sdk).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), id, clock, held: Arc::default() }
    }

    /// Its value now.
    pub async fn value(&self) -> Result<Arc<str>, SecretError> {
        let mut held = self.held.lock().await;
        if let Some(held) = &*held
            && self.clock.now() < held.good_until
        {
            return Ok(held.value.clone());
        }
        match (self.fetch().await, &mut *held) {
            (Ok(value), held) => {
                *held = Some(Held { good_until: self.clock.now() + Self::KEPT, value: value.clone() });
                Ok(value)
            }
            (Err(error), Some(held)) => {
                tracing::warn!(secret = self.id, error = %crate::error::chain(&error), "keeping the last value of a secret");
                held.good_until = self.clock.now() + Self::REST;
                Ok(held.value.clone())
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
            None => Err(failed("it holds no text".into())),
        }
    }
}

/// A secret is never printed.
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

    /// A secret of a Secrets Manager that a test plays.
    pub(crate) fn kept_by(manager: &HttpStub, clock: Clock) -> Secret {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("key", "secret", None, None, "test")))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(manager.url())
            .build();
        Secret::new(&sdk, "a-secret".to_owned(), clock)
    }

    /// What Secrets Manager says of a secret.
    pub(crate) fn holding(value: &str) -> String {
        json!({"ARN": "arn", "Name": "a-secret", "SecretString": value}).to_string()
    }

    #[tokio::test]
    async fn a_secret_is_fetched_once_in_five_minutes_and_its_last_value_kept_while_it_cannot_be_had() {
        let (manager, clock) = (HttpStub::start().await, Clock::manual(Timestamp::default()));
        let secret = kept_by(&manager, clock);
        manager.respond_with(500, "", "{}");
        assert!(secret.value().await.is_err(), "none is kept from before");
        manager.respond_with(200, "", &holding("one"));
        assert_eq!(&*secret.value().await.expect("one"), "one", "a failure is not kept");
        manager.respond_with(200, "", &holding("two"));
        clock.advance(Duration::from_millis(299_999));
        assert_eq!(&*secret.value().await.expect("one"), "one");
        clock.advance(Duration::from_millis(1));
        assert_eq!(&*secret.value().await.expect("two"), "two");
        manager.respond_with(500, "", "{}");
        clock.advance(Duration::from_secs(300));
        assert_eq!(&*secret.value().await.expect("kept"), "two");
        manager.respond_with(200, "", &holding("three"));
        clock.advance(Duration::from_millis(29_999));
        assert_eq!(&*secret.value().await.expect("kept"), "two", "who does not answer is left alone for half a minute");
        clock.advance(Duration::from_millis(1));
        assert_eq!(&*secret.value().await.expect("three"), "three");
        assert_eq!(manager.request_count(), 5);
    }
}
