//! The door to Secrets Manager.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    fetched: Instant,
    value: Arc<str>,
}

impl Secret {
    const KEPT: Duration = Duration::from_secs(5 * 60);

    /// The secret of this id (ARN).
    pub fn new(client: Client, id: String) -> Self {
        Self { client, id, held: Arc::default() }
    }

    /// Its value now.
    pub async fn value(&self) -> Result<Arc<str>, SecretError> {
        let mut held = self.held.lock().await;
        if let Some(held) = &*held
            && held.fetched.elapsed() < Self::KEPT
        {
            return Ok(held.value.clone());
        }
        match (self.fetch().await, &*held) {
            (Ok(value), _) => {
                *held = Some(Held { fetched: Instant::now(), value: value.clone() });
                Ok(value)
            }
            (Err(error), Some(Held { value, .. })) => {
                tracing::warn!(secret = self.id, error = %crate::error::chain(&error), "keeping the last value of a secret");
                Ok(value.clone())
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
