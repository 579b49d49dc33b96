//! The handle from which each adapter makes its client: one SDK configuration and one HTTP connection pool for all.

mod throttle_counter;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls;

use crate::config::{ConfigError, RuntimeConfig};
use throttle_counter::ThrottleCounter;

/// Limit for opening connections during INIT, for which Lambda allows ten seconds in all.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// Limit for one attempt of a call. DynamoDB answers in milliseconds, and a TLS handshake in a small function takes
/// most of a second. The SDK repeats an attempt that times out, whether or not it was applied. That is the same as a
/// connection cut after a write was applied, which the checker injects (`dynamodb.cut_after`,
/// `dynamodb.never_answered`): a transaction is recognized by its token, and every other write may be repeated.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);

/// What every client is made from.
#[derive(Debug)]
pub struct Aws {
    sdk: SdkConfig,
    dynamodb: aws_sdk_dynamodb::Client,
    warm_in_init: bool,
}

impl Aws {
    /// Reads the SDK's configuration from the environment. All clients share one HTTP client; otherwise each would have
    /// its own connections and read the root certificates again.
    pub async fn connect() -> Result<Self, ConfigError> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .build_https();
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        let sdk =
            aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts).load().await;
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk).interceptor(ThrottleCounter).build();
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb);
        Ok(Self { dynamodb, sdk, warm_in_init: RuntimeConfig::read()?.warm_in_init })
    }

    pub(crate) fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.clone()
    }

    pub(crate) fn warms_in_init(&self) -> bool {
        self.warm_in_init
    }

    /// Opens a connection by a call whose answer does not matter, unless `WARM_IN_INIT` is off. In INIT a function has
    /// a whole vCPU whatever its memory, and the TLS handshake takes most of a first call. If it fails, the first
    /// invocation reports it.
    pub async fn warm_up<T>(&self, call: impl Future<Output = T>) {
        if self.warm_in_init {
            let _ = tokio::time::timeout(WARM_UP_TIMEOUT, call).await;
        }
    }

    #[cfg(test)]
    pub(crate) fn offline() -> Self {
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        Self { dynamodb: aws_sdk_dynamodb::Client::new(&sdk), sdk, warm_in_init: false }
    }
}
