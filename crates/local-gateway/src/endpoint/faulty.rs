//! Injects faults into the functions' calls to DynamoDB.

use serde_json::{Value, json};

use super::intercepted::InterceptedServices;
use super::services::{Call, Service};
use crate::dynamodb::ApiError;
use crate::faults::{Faults, Injected, Kind};

/// What becomes of a call.
pub(crate) enum Reply {
    Response(Result<Value, ApiError>),
    /// The call was performed, but the connection must be closed without a response.
    Abort,
}

pub(crate) struct FaultyServices {
    pub(crate) inner: InterceptedServices,
    pub(crate) faults: Faults,
}

/// The part of a batch that was throttled: DynamoDB returns it instead of failing the call.
struct Unprocessed {
    /// `UnprocessedKeys` or `UnprocessedItems`
    field: &'static str,
    table: String,
    rest: Value,
}

impl FaultyServices {
    pub(crate) async fn perform(&self, mut call: Call) -> Reply {
        let (Some(function), Service::DynamoDb) = (call.caller.clone(), call.service) else {
            return Reply::Response(self.inner.perform(call).await);
        };
        let operation = call.operation.clone();
        let inject = |kind| self.faults.inject(kind, &function, &operation);
        if let Some(slow) = inject(Kind::DynamoDbSlow) {
            tokio::time::sleep(slow.delay).await;
        }
        let unprocessed = match self.reject(&function, &operation, &mut call.request) {
            Ok(unprocessed) => unprocessed,
            Err(error) => {
                self.inner.services.count(&call, None);
                return Reply::Response(Err(error));
            }
        };
        let mut outcome = self.inner.perform(call).await;
        if let (Some(unprocessed), Ok(response)) = (unprocessed, &mut outcome) {
            unprocessed.add_to(response);
        }
        if inject(Kind::DynamoDbFailedAfter).is_some() {
            return Reply::Response(Err(internal_server_error()));
        }
        if inject(Kind::DynamoDbCutAfter).is_some() {
            return Reply::Abort;
        }
        if inject(Kind::DynamoDbNeverAnswered).is_some() {
            // The client times out and closes the connection.
            std::future::pending::<()>().await;
        }
        Reply::Response(outcome)
    }

    /// Rejects a call before any of it is applied, or takes a part of a batch out of the request.
    fn reject(&self, function: &str, operation: &str, request: &mut Value) -> Result<Option<Unprocessed>, ApiError> {
        let inject = |kind| self.faults.inject(kind, function, operation);
        if let Some(fault) = inject(Kind::DynamoDbThrottled) {
            return match hold_back(operation, request, fault) {
                Some(unprocessed) => Ok(Some(unprocessed)),
                None => Err(throttled(request, fault)),
            };
        }
        if inject(Kind::DynamoDbFailedBefore).is_some() {
            return Err(internal_server_error());
        }
        if operation == "TransactWriteItems"
            && let Some(fault) = inject(Kind::DynamoDbConflict)
        {
            return Err(cancelled(request, fault, "TransactionConflict", "Transaction is ongoing for the item"));
        }
        if matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") && inject(Kind::DynamoDbWriteConflict).is_some()
        {
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
            return Err(ApiError::new(400, kind, "Transaction is ongoing for the item"));
        }
        Ok(None)
    }
}

fn internal_server_error() -> ApiError {
    let message = "The request processing has failed because of an unknown error, exception or failure.";
    ApiError::new(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", message)
}

/// One of the three errors by which DynamoDB throttles; only transactions get the third.
fn throttled(request: &Value, fault: Injected) -> ApiError {
    let errors = if request["TransactItems"].is_array() { 3 } else { 2 };
    match fault.pick(errors) {
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
            cancelled(request, fault, "ThrottlingError", message)
        }
    }
}

/// A cancelled transaction, with the reason at one of its items.
fn cancelled(request: &Value, fault: Injected, code: &str, message: &str) -> ApiError {
    let items = request["TransactItems"].as_array().map_or(0, Vec::len);
    let failed = fault.pick(items);
    let codes: Vec<&str> = (0..items).map(|item| if item == failed { code } else { "None" }).collect();
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

/// Takes the last of a batch's keys or items out of the request, but not all of them: DynamoDB rejects an empty batch.
fn hold_back(operation: &str, request: &mut Value, fault: Injected) -> Option<Unprocessed> {
    let field = match operation {
        "BatchGetItem" => "UnprocessedKeys",
        "BatchWriteItem" => "UnprocessedItems",
        _ => return None,
    };
    let (table, requested) = request["RequestItems"].as_object_mut()?.iter_mut().next()?;
    let list = if field == "UnprocessedKeys" { requested.get_mut("Keys")? } else { &mut *requested };
    let list = list.as_array_mut()?;
    let kept = 1 + fault.pick(list.len().checked_sub(1).filter(|rest| *rest > 0)?);
    let held = Value::from(list.split_off(kept));
    let mut rest = requested.clone();
    match field {
        "UnprocessedKeys" => rest["Keys"] = held,
        _ => rest = held,
    }
    Some(Unprocessed { field, table: table.clone(), rest })
}

impl Unprocessed {
    fn add_to(self, response: &mut Value) {
        response[self.field][self.table] = self.rest;
    }
}
