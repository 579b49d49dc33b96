//! The door to Secrets Manager.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;

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
    held: Arc<Mutex<Option<Held>>>,
}

struct Held {
    good_until: Instant,
    value: Arc<str>,
}

impl Secret {
    const KEPT: Duration = Duration::from_secs(5 * 60);
    /// How long the last value serves before Secrets Manager is asked again, after it did not answer.
    const REST: Duration = Duration::from_secs(30);
    const TIMEOUT: Duration = Duration::from_secs(2);

    /// The secret of this id (ARN).
    pub fn new(sdk: &SdkConfig, id: String) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Self::TIMEOUT).build();
        let config = aws_sdk_secretsmanager::config::Builder::from(sdk).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), id, held: Arc::default() }
    }

    /// Its value now.
    pub async fn value(&self) -> Result<Arc<str>, SecretError> {
        let mut held = self.held.lock().await;
        if let Some(held) = &*held
            && Instant::now() < held.good_until
        {
            return Ok(held.value.clone());
        }
        match (self.fetch().await, &mut *held) {
            (Ok(value), held) => {
                *held = Some(Held { good_until: Instant::now() + Self::KEPT, value: value.clone() });
                Ok(value)
            }
            (Err(error), Some(held)) => {
                tracing::warn!(secret = self.id, error = %crate::error::chain(&error), "keeping the last value of a secret");
                held.good_until = Instant::now() + Self::REST;
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
