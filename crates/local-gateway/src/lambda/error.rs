//! How an invocation can fail, as Lambda tells it to whoever invoked.

use std::time::Duration;

use serde_json::{Value, json};

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvokeError {
    /// The function answered with an error, or reported one while it started.
    #[error("{function} failed: {}", message_of(payload))]
    FunctionError {
        /// The function's logical id.
        function: String,
        /// What it reported: an object with `errorMessage` and `errorType`.
        payload: Value,
    },
    /// The function overran its `Timeout` and its process was killed.
    #[error("RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64())]
    TimedOut {
        /// The function's logical id.
        function: String,
        /// The request id of the invocation.
        request_id: String,
        /// The time it had.
        after: Duration,
    },
    /// The function's process ended in the middle of the invocation, or before it asked for one.
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
        /// One sentence that says which binary and why.
        problem: String,
    },
    /// The template has no function of that logical id.
    #[error("the template has no function {0}")]
    UnknownFunction(String),
    /// `cargo lambda watch` is out of reach, or does not know the function.
    #[error("{problem}")]
    Unreachable {
        /// The function's logical id.
        function: String,
        /// One sentence that says what to do.
        problem: String,
    },
    /// The gateway is shutting down.
    #[error("the gateway is shutting down")]
    Stopped,
}

impl InvokeError {
    /// The error as `aws lambda invoke` writes it: an object with `errorMessage` and `errorType`.
    pub fn payload(&self) -> Value {
        match self {
            InvokeError::FunctionError { payload, .. } => payload.clone(),
            other => json!({ "errorMessage": other.to_string(), "errorType": other.error_type() }),
        }
    }

    /// The function's own `errorMessage`, or what Lambda says for it.
    pub fn error_message(&self) -> String {
        match self {
            InvokeError::FunctionError { payload, .. } => message_of(payload).to_owned(),
            other => other.to_string(),
        }
    }

    /// The function's own `errorType`, or Lambda's name for what happened.
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
    fn a_timeout_reads_as_on_lambda() {
        let error = InvokeError::TimedOut {
            function: "SendMessageFunction".into(),
            request_id: "r-1".into(),
            after: Duration::from_secs(3),
        };
        assert_eq!(
            error.payload(),
            json!({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: r-1 Error: Task timed out after 3.00 seconds"})
        );
    }

    #[test]
    fn a_functions_own_error_is_passed_on_unchanged() {
        let payload = json!({"errorType": "Refused", "errorMessage": "no", "stackTrace": []});
        let error = InvokeError::FunctionError { function: "F".into(), payload: payload.clone() };
        assert_eq!(error.payload(), payload);
        assert_eq!((error.error_type(), error.error_message().as_str()), ("Refused", "no"));
    }
}
