//! Counts the calls that DynamoDB throttles.

use aws_sdk_dynamodb::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde::Deserialize;

use crate::metric::{self, Metric};

/// Sees every attempt. The SDK repeats a throttled one, so a table at its limit would otherwise only seem slow.
#[derive(Debug)]
pub(super) struct ThrottleCounter;

impl Intercept for ThrottleCounter {
    fn name(&self) -> &'static str {
        "ThrottleCounter"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() && response.body().bytes().is_some_and(is_throttling) {
            metric::count(Metric::Throttled, 1);
        }
        Ok(())
    }
}

/// The body of an error. Only the codes are read: the reasons of a cancelled transaction also contain rows.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type")]
    code: String,
    #[serde(rename = "CancellationReasons", default)]
    reasons: Vec<CancellationReason>,
}

#[derive(Deserialize)]
struct CancellationReason {
    #[serde(rename = "Code")]
    code: Option<String>,
}

fn is_throttling(body: &[u8]) -> bool {
    const CODES: [&str; 5] = [
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    ];
    let Ok(error) = serde_json::from_slice::<ErrorBody>(body) else { return false };
    let code = error.code.rsplit('#').next();
    let reasons = error.reasons.iter().filter_map(|reason| reason.code.as_deref());
    code.into_iter().chain(reasons).any(|code| CODES.contains(&code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_throttling;

    #[test]
    fn throttling_is_told_from_other_errors() {
        let error = |code: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "…"});
        let cancelled = |code: &str| {
            let mut error = error("TransactionCanceledException");
            error["CancellationReasons"] =
                json!([{"Code": "None"}, {"Code": code, "Item": {"message": {"S": "ThrottlingException"}}}]);
            error
        };
        for (error, expected) in [
            (error("ThrottlingException"), true),
            (error("ProvisionedThroughputExceededException"), true),
            (error("RequestLimitExceeded"), true),
            (error("ConditionalCheckFailedException"), false),
            (cancelled("ThrottlingError"), true),
            (cancelled("ProvisionedThroughputExceeded"), true),
            (cancelled("ConditionalCheckFailed"), false),
            (json!({"message": "ThrottlingException"}), false),
        ] {
            assert_eq!(is_throttling(error.to_string().as_bytes()), expected, "{error}");
        }
        assert!(!is_throttling(b"<html>"));
    }
}
