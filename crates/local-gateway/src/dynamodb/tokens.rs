//! `ClientRequestToken` of `TransactWriteItems`: a transaction repeated with the same token within ten minutes is done once.
//!
//! The SDKs send a fresh token with every transaction. dynoxide keeps them too, but looks through all of them at every
//! call, so it never gets to see one.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ApiError, operations};

/// How long DynamoDB remembers a token.
const WINDOW: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Tokens {
    /// Token → digest of the transaction.
    done: HashMap<String, [u8; 32]>,
    /// In the order in which they were used.
    order: VecDeque<(Instant, String)>,
}

impl Tokens {
    /// Performs a transaction, or answers at once if this token's transaction was performed before.
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
                let answer = operations::perform(engine, "TransactWriteItems", request)?;
                self.done.insert(token.clone(), digest);
                self.order.push_back((Instant::now(), token));
                Ok(answer)
            }
        }
    }
}

/// The answer to a repeated transaction. DynamoDB then reports what it took to read the items: two read units each, as
/// long as they fit in 4 KB.
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
