//! `ReturnConsumedCapacity`: requested in every call, so that the ledger is exact, and removed from the response if the
//! caller did not request it.

use serde_json::Value;

use super::operations::writes;
use crate::ledger::Units;

const METERED: [&str; 10] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// Requests the consumed capacity. Returns whether the caller did so too.
pub(super) fn request(operation: &str, request: &mut Value) -> bool {
    let Some(request) = request.as_object_mut().filter(|_| METERED.contains(&operation)) else { return true };
    match request.get("ReturnConsumedCapacity").and_then(Value::as_str) {
        None | Some("NONE") => {
            request.insert("ReturnConsumedCapacity".into(), "TOTAL".into());
            false
        }
        Some(_) => true,
    }
}

/// The units in a response, which are removed unless they were requested.
pub(super) fn measure(operation: &str, response: &mut Value, requested: bool) -> Units {
    let mut units = Units::default();
    let Some(consumed) = response.get("ConsumedCapacity") else { return units };
    let tables = match consumed {
        Value::Array(tables) => tables.as_slice(),
        one => std::slice::from_ref(one),
    };
    for table in tables {
        let number = |name: &str| table[name].as_f64();
        match (number("ReadCapacityUnits"), number("WriteCapacityUnits")) {
            (None, None) => {
                let total = number("CapacityUnits").unwrap_or_default();
                *(if writes(operation) { &mut units.write } else { &mut units.read }) += total;
            }
            (read, write) => {
                units.read += read.unwrap_or_default();
                units.write += write.unwrap_or_default();
            }
        }
    }
    if let Some(response) = response.as_object_mut().filter(|_| !requested) {
        response.remove("ConsumedCapacity");
    }
    units
}
