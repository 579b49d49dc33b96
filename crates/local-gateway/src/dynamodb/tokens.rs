//! `ClientRequestToken` of `TransactWriteItems`: a transaction that is repeated with the same token within ten minutes
//! is performed once.
//!
//! The SDKs send a fresh token with every transaction. dynoxide stores tokens too, but searches all of them at every
//! call, so they are removed from its requests.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::operations;

/// How long DynamoDB remembers a token.
const WINDOW: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Tokens {
    /// Token → digest of the transaction
    done: HashMap<String, [u8; 32]>,
    /// In order of use.
    order: VecDeque<(Instant, String)>,
}

impl Tokens {
    /// Performs a transaction unless it was performed with this token before.
    pub(super) fn once(&mut self, engine: &dynoxide::Database, mut request: Value) -> Result<Value, ApiError> {
        let token = request.as_object_mut().and_then(|request| request.remove("ClientRequestToken"));
        let Some(token) = token.as_ref().and_then(Value::as_str).map(str::to_owned) else {
            return operations::perform(engine, "TransactWriteItems", request);
        };
        if token.is_empty() || token.len() > 36 {
            let message = "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: \
                           Member must have length between 1 and 36";
            return Err(ApiError::new(400, "com.amazon.coral.validate#ValidationException", message));
        }
        while self.order.front().is_some_and(|(used, _)| used.elapsed() >= WINDOW) {
            if let Some((_, token)) = self.order.pop_front() {
                self.done.remove(&token);
            }
        }
        let digest: [u8; 32] = Sha256::digest(request["TransactItems"].to_string()).into();
        match self.done.get(&token) {
            Some(done) if *done == digest => Ok(replayed(&request)),
            Some(_) => Err(ApiError::new(
                400,
                "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request.",
            )),
            None => {
                let response = operations::perform(engine, "TransactWriteItems", request)?;
                self.done.insert(token.clone(), digest);
                self.order.push_back((Instant::now(), token));
                Ok(response)
            }
        }
    }
}

/// The response to a repeated transaction. DynamoDB reports the capacity for reading the items: two read units each,
/// for items of up to 4 KB.
fn replayed(request: &Value) -> Value {
    let mut tables: HashMap<&str, f64> = HashMap::new();
    for item in request["TransactItems"].as_array().into_iter().flatten() {
        for action in item.as_object().into_iter().flat_map(|item| item.values()) {
            *tables.entry(action["TableName"].as_str().unwrap_or_default()).or_default() += 2.0;
        }
    }
    let consumed = tables
        .into_iter()
        .map(|(table, units)| json!({ "TableName": table, "CapacityUnits": units, "ReadCapacityUnits": units }));
    json!({ "ConsumedCapacity": consumed.collect::<Vec<_>>() })
}
