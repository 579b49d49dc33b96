//! Lets a test program change what passes between the functions and AWS, for example to plant a defect that a checker
//! must find.

use std::fmt::Debug;

pub use axum::body::Bytes;
use serde_json::Value;

use crate::lambda::InvokeError;

/// A function's call to DynamoDB.
#[derive(Clone, Copy)]
pub struct DynamoDbCall<'a> {
    /// The logical id of the function.
    pub function: &'a str,
    /// For example `PutItem`.
    pub operation: &'a str,
    /// The logical id of a table, by its name or ARN.
    pub logical_id: &'a (dyn Fn(&str) -> String + Sync),
}

/// What becomes of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushDecision {
    /// The frame is sent.
    Deliver,
    /// The push is answered as if the frame had been sent.
    Discard,
}

/// Hooks into a running gateway. By default they change nothing. Calls that the gateway's own faults reject never get
/// here; calls from outside the functions do not either.
pub trait Interceptor: Debug + Send + Sync + 'static {
    /// Changes a call before it is performed.
    fn dynamodb_request(&self, _call: DynamoDbCall<'_>, _request: &mut Value) {}

    /// Changes the response to a call that succeeded.
    fn dynamodb_response(&self, _call: DynamoDbCall<'_>, _request: &Value, _response: &mut Value) {}

    /// Decides about a `PostToConnection` of a function, given by its logical id.
    fn push(&self, _function: &str) -> PushDecision {
        PushDecision::Deliver
    }

    /// Changes the response of a function, given by its logical id, to a batch of stream records.
    ///
    /// # Errors
    ///
    /// By default, the error of the invocation.
    fn stream_response(&self, _function: &str, response: Result<Bytes, InvokeError>) -> Result<Bytes, InvokeError> {
        response
    }
}

/// Changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PassThrough;

impl Interceptor for PassThrough {}
