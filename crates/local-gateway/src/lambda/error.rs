//! How an invocation can fail, in the words of Lambda.

use std::time::Duration;

use serde_json::{Value, json};

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvokeError {
    /// The function responded with an error, or reported one while it started.
    #[error("{function} failed: {}", message_of(payload))]
    FunctionError {
        /// The function's logical id.
        function: String,
        /// The reported error: an object with `errorMessage` and `errorType`.
        payload: Value,
    },
    /// The function exceeded its `Timeout` and was killed.
    #[error("RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64())]
    TimedOut {
        /// The function's logical id.
        function: String,
        /// The request id of the invocation.
        request_id: String,
        /// How long it was allowed to take.
        after: Duration,
    },
    /// The process ended during the invocation, or before it asked for one.
    #[error("RequestId: {request_id} Error: Runtime exited {how}")]
    Crashed {
        /// The function's logical id.
        function: String,
        /// The request id of the invocation.
        request_id: String,
        /// For example `with error: exit status 1`.
        how: String,
    },
    /// The function's binary could not be started.
    #[error("{problem}")]
    NotStarted {
        /// The function's logical id.
        function: String,
        /// Which binary, and why.
        problem: String,
    },
    /// The template has no function with this logical id.
    #[error("the template has no function {0}")]
    UnknownFunction(String),
    /// `cargo lambda watch` is unreachable, or does not know the function.
    #[error("{problem}")]
    Unreachable {
        /// The function's logical id.
        function: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// The gateway is shutting down.
    #[error("the gateway is shutting down")]
    Stopped,
}

impl InvokeError {
    /// The error as `aws lambda invoke` prints it: an object with `errorMessage` and `errorType`.
    pub fn payload(&self) -> Value {
        match self {
            InvokeError::FunctionError { payload, .. } => payload.clone(),
            other => json!({ "errorMessage": other.to_string(), "errorType": other.error_type() }),
        }
    }

    /// The function's own `errorMessage`, or Lambda's message.
    pub fn error_message(&self) -> String {
        match self {
            InvokeError::FunctionError { payload, .. } => message_of(payload).to_owned(),
            other => other.to_string(),
        }
    }

    /// The function's own `errorType`, or Lambda's error type.
    pub fn error_type(&self) -> &str {
        match self {
            InvokeError::FunctionError { payload, .. } => payload["errorType"].as_str().unwrap_or("Unhandled"),
            InvokeError::TimedOut { .. } => "Sandbox.Timedout",
            InvokeError::Crashed { .. } => "Runtime.ExitError",
            InvokeError::NotStarted { .. } => "Runtime.InvalidEntrypoint",
            InvokeError::UnknownFunction(_) => "ResourceNotFoundException",
            InvokeError::Unreachable { .. } | InvokeError::Stopped => "ServiceException",
        }
    }
}

fn message_of(payload: &Value) -> &str {
    payload["errorMessage"].as_str().unwrap_or("no errorMessage")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeout_message_equals_lambdas() {
        let error = InvokeError::TimedOut {
            function: "SendMessageFunction".into(),
            request_id: "r-1".into(),
            after: Duration::from_secs(3),
        };
        assert_eq!(
            error.payload(),
            json!({
                "errorType": "Sandbox.Timedout",
                "errorMessage": "RequestId: r-1 Error: Task timed out after 3.00 seconds",
            })
        );
    }

    #[test]
    fn function_errors_are_passed_on() {
        let payload = json!({"errorType": "Refused", "errorMessage": "no", "stackTrace": []});
        let error = InvokeError::FunctionError { function: "F".into(), payload: payload.clone() };
        assert_eq!(error.payload(), payload);
        assert_eq!((error.error_type(), error.error_message().as_str()), ("Refused", "no"));
    }
}
