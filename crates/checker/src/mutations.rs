//! Mutation testing of the checker: defects that break the application's guarantees, which the checker must find. They
//! change what passes between the functions and AWS; see [`Interceptor`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;
use local_gateway::InvokeError;
use local_gateway::interceptor::{Bytes, DynamoDbCall, Interceptor, PushDecision};
use serde_json::Value;

const SENDS_TABLE: &str = "SendsTable";
const MESSAGES_TABLE: &str = "MessagesTable";
/// The function that marks the messages that it pushes.
const PUSHING_FUNCTION: &str = "SendMessageFunction";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mutation {
    /// Ignore idempotency records, so that a retry becomes a new message
    IdempotencyIgnored,
    /// Append without a condition, so that the second of two messages with the same seq replaces the first
    UnconditionalAppend,
    /// Ignore failures of stream batches; fan-out, which otherwise succeeds on a retry, then fails often
    FailuresDropped,
    /// Mark a message as pushed before the push, and lose every third push. Only detected when no fault loses frames:
    /// with --no-faults or --no-lost-frames
    MarkBeforePush,
}

impl Mutation {
    /// The interceptor that causes the defect, for [`local_gateway::Options::interceptor`].
    #[must_use]
    pub fn interceptor(self) -> Arc<dyn Interceptor> {
        match self {
            Self::IdempotencyIgnored => Arc::new(IdempotencyIgnored),
            Self::UnconditionalAppend => Arc::new(UnconditionalAppend),
            Self::FailuresDropped => Arc::new(FailuresDropped),
            Self::MarkBeforePush => Arc::new(MarkBeforePush::default()),
        }
    }
}

/// `GetItem` of the sends table finds nothing, and puts into it have no condition.
#[derive(Debug)]
struct IdempotencyIgnored;

impl Interceptor for IdempotencyIgnored {
    fn dynamodb_request(&self, call: DynamoDbCall<'_>, request: &mut Value) {
        remove_conditions(call, request, SENDS_TABLE);
    }

    fn dynamodb_response(&self, call: DynamoDbCall<'_>, request: &Value, response: &mut Value) {
        let table = request["TableName"].as_str().unwrap_or_default();
        if call.operation == "GetItem"
            && (call.logical_id)(table) == SENDS_TABLE
            && let Some(response) = response.as_object_mut()
        {
            response.remove("Item");
        }
    }
}

/// Puts into the messages table have no condition.
#[derive(Debug)]
struct UnconditionalAppend;

impl Interceptor for UnconditionalAppend {
    fn dynamodb_request(&self, call: DynamoDbCall<'_>, request: &mut Value) {
        remove_conditions(call, request, MESSAGES_TABLE);
    }
}

/// Every batch of stream records counts as processed, even if the function failed.
#[derive(Debug)]
struct FailuresDropped;

impl Interceptor for FailuresDropped {
    fn stream_response(&self, _function: &str, _response: Result<Bytes, InvokeError>) -> Result<Bytes, InvokeError> {
        Ok(Bytes::new())
    }
}

/// Every third push of a function that marks what it pushes is acknowledged but never sent, as if its process had died
/// between marking the message and pushing it.
#[derive(Debug, Default)]
struct MarkBeforePush {
    pushes: AtomicU64,
}

impl Interceptor for MarkBeforePush {
    fn push(&self, function: &str) -> PushDecision {
        if function == PUSHING_FUNCTION && self.pushes.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
            PushDecision::Discard
        } else {
            PushDecision::Deliver
        }
    }
}

/// Removes the conditions of all puts into a table.
fn remove_conditions(call: DynamoDbCall<'_>, request: &mut Value, table: &str) {
    let is_affected = |name: &Value| (call.logical_id)(name.as_str().unwrap_or_default()) == table;
    if request["Item"].is_object() && is_affected(&request["TableName"]) {
        remove_condition(request);
    }
    let actions = request.get_mut("TransactItems").and_then(Value::as_array_mut);
    for action in actions.into_iter().flatten() {
        if let Some(put) = action.get_mut("Put").filter(|put| is_affected(&put["TableName"])) {
            remove_condition(put);
        }
    }
}

/// Removes the condition of a put, and the fields that only a condition may have.
fn remove_condition(put: &mut Value) {
    let Some(put) = put.as_object_mut() else { return };
    for field in [
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    ] {
        put.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(operation: &str) -> DynamoDbCall<'_> {
        DynamoDbCall { function: PUSHING_FUNCTION, operation, logical_id: &|table| table.to_owned() }
    }

    fn conditional_put(table: &str) -> Value {
        json!({"TableName": table, "Item": {}, "ConditionExpression": "#a", "ExpressionAttributeNames": {"#a": "a"}})
    }

    #[test]
    fn puts_into_one_table_lose_their_condition() {
        let mut request = json!({"TransactItems": [
            {"Put": conditional_put(SENDS_TABLE)},
            {"Put": conditional_put(MESSAGES_TABLE)},
        ]});
        IdempotencyIgnored.dynamodb_request(call("TransactWriteItems"), &mut request);
        assert_eq!(request["TransactItems"][0]["Put"], json!({"TableName": SENDS_TABLE, "Item": {}}));
        assert_eq!(request["TransactItems"][1]["Put"], conditional_put(MESSAGES_TABLE));
        let mut request = conditional_put(MESSAGES_TABLE);
        UnconditionalAppend.dynamodb_request(call("PutItem"), &mut request);
        assert_eq!(request, json!({"TableName": MESSAGES_TABLE, "Item": {}}));
    }

    #[test]
    fn only_sends_are_hidden() {
        for (table, hidden) in [(SENDS_TABLE, true), (MESSAGES_TABLE, false)] {
            let mut response = json!({"Item": {}});
            IdempotencyIgnored.dynamodb_response(call("GetItem"), &json!({"TableName": table}), &mut response);
            assert_eq!(response.get("Item").is_none(), hidden, "{table}");
        }
    }

    #[test]
    fn failed_batches_count_as_processed() {
        assert_eq!(FailuresDropped.stream_response("F", Err(InvokeError::Stopped)), Ok(Bytes::new()));
    }

    #[test]
    fn every_third_push_is_lost() {
        let mutation = MarkBeforePush::default();
        let lost = (0..6).map(|_| mutation.push(PUSHING_FUNCTION) == PushDecision::Discard);
        assert_eq!(lost.collect::<Vec<_>>(), [true, false, false, true, false, false]);
        assert_eq!(mutation.push("Other"), PushDecision::Deliver);
    }
}
