//! Faults and planted defects in a function's calls of DynamoDB.

use serde_json::{Value, json};

use super::{Faults, Kind, Sabotage, Strike};
use crate::dynamodb::{ApiError, tables_of};

/// What is left of a batch when a part of it was throttled: DynamoDB hands the rest back instead of refusing.
pub(crate) struct HeldBack {
    /// `UnprocessedKeys` or `UnprocessedItems`.
    field: &'static str,
    table: String,
    rest: Value,
}

impl Faults {
    /// The error that a call is refused with, nothing of it being applied. May take a part of a batch out of the request
    /// instead, which [`HeldBack::give_back`] puts into the answer.
    pub(crate) fn refuse(
        &self,
        function: &str,
        operation: &str,
        request: &mut Value,
    ) -> Result<Option<HeldBack>, ApiError> {
        if let Some(strike) = self.strike(Kind::DynamoDbThrottled, function, operation) {
            return match hold_back(operation, request, strike) {
                Some(held_back) => Ok(Some(held_back)),
                None => Err(throttled(request, strike)),
            };
        }
        if self.strike(Kind::DynamoDbFailedBefore, function, operation).is_some() {
            return Err(failed());
        }
        if operation == "TransactWriteItems"
            && let Some(strike) = self.strike(Kind::DynamoDbConflict, function, operation)
        {
            return Err(cancelled(request, strike, "TransactionConflict", "Transaction is ongoing for the item"));
        }
        if matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem")
            && self.strike(Kind::DynamoDbWriteConflict, function, operation).is_some()
        {
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
            return Err(ApiError::new(400, kind, "Transaction is ongoing for the item"));
        }
        Ok(None)
    }
}

/// The answer where something in the service broke.
pub(crate) fn failed() -> ApiError {
    let message = "The request processing has failed because of an unknown error, exception or failure.";
    ApiError::new(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", message)
}

/// The three ways in which DynamoDB says it; the third is a transaction's alone.
fn throttled(request: &Value, strike: Strike) -> ApiError {
    let ways = if request["TransactItems"].is_array() { 3 } else { 2 };
    match strike.among(ways) {
        0 => {
            let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
            let message = "The level of configured provisioned throughput for the table was exceeded.";
            ApiError::new(400, kind, message)
        }
        1 => {
            let kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
            let message = "Throughput exceeds the current capacity of your table or index.";
            ApiError::new(400, kind, message)
        }
        _ => {
            let message = "Throughput exceeds the current capacity for one or more tables.";
            cancelled(request, strike, "ThrottlingError", message)
        }
    }
}

/// A cancelled transaction, one of whose items is to blame.
fn cancelled(request: &Value, strike: Strike, code: &str, message: &str) -> ApiError {
    let items = request["TransactItems"].as_array().map_or(0, Vec::len);
    let blamed = strike.among(items);
    let codes: Vec<&str> = (0..items).map(|item| if item == blamed { code } else { "None" }).collect();
    let reason = |code: &&str| match *code {
        "None" => json!({ "Code": "None" }),
        code => json!({ "Code": code, "Message": message }),
    };
    let list = codes.join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{list}]"),
        "CancellationReasons": codes.iter().map(reason).collect::<Vec<_>>(),
    });
    ApiError { status: 400, body }
}

/// Takes the last of a batch's keys or items out of the request; not all of them, since DynamoDB refuses such a call.
fn hold_back(operation: &str, request: &mut Value, strike: Strike) -> Option<HeldBack> {
    let field = match operation {
        "BatchGetItem" => "UnprocessedKeys",
        "BatchWriteItem" => "UnprocessedItems",
        _ => return None,
    };
    let (table, asked) = request["RequestItems"].as_object_mut()?.iter_mut().next()?;
    let list = if field == "UnprocessedKeys" { asked.get_mut("Keys")? } else { &mut *asked };
    let list = list.as_array_mut()?;
    let kept = 1 + strike.among(list.len().checked_sub(1).filter(|rest| *rest > 0)?);
    let held = Value::from(list.split_off(kept));
    let mut rest = asked.clone();
    match field {
        "UnprocessedKeys" => rest["Keys"] = held,
        _ => rest = held,
    }
    Some(HeldBack { field, table: table.clone(), rest })
}

impl HeldBack {
    /// Puts what was held back into the answer.
    pub(crate) fn give_back(self, answer: &mut Value) {
        answer[self.field][self.table] = self.rest;
    }
}

impl Sabotage {
    /// Plants the defects into a call. `logical_id` knows tables by their names.
    pub(crate) fn spoil(&self, request: &mut Value, logical_id: impl Fn(&str) -> String) {
        let spoiled = |name: &Value| {
            let id = logical_id(name.as_str().unwrap_or_default());
            (self.sends_ignored && id == self.sends_table) || (self.numbers_unguarded && id == self.messages_table)
        };
        if request["Item"].is_object() && spoiled(&request["TableName"]) {
            unguard(request);
        }
        for action in request["TransactItems"].as_array_mut().into_iter().flatten() {
            if let Some(put) = action.get_mut("Put").filter(|put| spoiled(&put["TableName"])) {
                unguard(put);
            }
        }
    }

    /// Whether what was found is to be kept from whoever asked.
    pub(crate) fn hides(&self, operation: &str, request: &Value, logical_id: impl Fn(&str) -> String) -> bool {
        self.sends_ignored
            && operation == "GetItem"
            && tables_of(request).iter().any(|table| logical_id(table) == self.sends_table)
    }
}

/// Takes the condition off a put, and what only a condition may have.
fn unguard(put: &mut Value) {
    if let Some(put) = put.as_object_mut() {
        for field in [
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
        ] {
            put.remove(field);
        }
    }
}
