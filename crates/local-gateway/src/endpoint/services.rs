//! Performs calls and counts them in the ledger.

use serde_json::Value;

use crate::dynamodb::{ApiError, Database, tables_of};
use crate::ledger::{Ledger, OUTSIDE, Units};
use crate::secrets::Secrets;

/// A service behind the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// DynamoDB, including its streams.
    DynamoDb,
    SecretsManager,
}

/// One call to an AWS API.
#[derive(Debug)]
pub(crate) struct Call {
    /// The logical id of the function that signed it; `None` for any other client.
    pub(crate) caller: Option<String>,
    pub(crate) service: Service,
    /// For example `PutItem`.
    pub(crate) operation: String,
    pub(crate) request: Value,
}

pub(crate) struct Services {
    pub(crate) database: Database,
    pub(crate) secrets: Secrets,
    pub(crate) ledger: Ledger,
}

impl Services {
    pub(crate) async fn perform(&self, call: &Call) -> Result<Value, ApiError> {
        let outcome = match call.service {
            Service::DynamoDb => self
                .database
                .call(&call.operation, call.request.clone())
                .await
                .map(|response| (response.body, response.units)),
            Service::SecretsManager => {
                self.secrets.call(&call.operation, &call.request).map(|response| (response, Units::default()))
            }
        };
        self.count(call, outcome.as_ref().ok().map(|(_, units)| *units));
        outcome.map(|(response, _)| response)
    }

    /// Counts a call; `units` is `None` for a call that failed.
    pub(crate) fn count(&self, call: &Call, units: Option<Units>) {
        self.ledger.call(call.caller.as_deref().unwrap_or(OUTSIDE), &self.ledger_key(call), units);
    }

    /// What the ledger counts a call as.
    fn ledger_key(&self, call: &Call) -> String {
        let operation = &call.operation;
        match call.service {
            Service::DynamoDb => {
                let tables: Vec<&str> =
                    tables_of(&call.request).into_iter().map(|table| self.database.logical_id(table)).collect();
                format!("dynamodb:{operation} {}", tables.join("+")).trim_end().to_owned()
            }
            Service::SecretsManager => {
                let secret = call.request["SecretId"].as_str().and_then(|id| self.secrets.find(id));
                let secret = secret.map(|secret| secret.logical_id.as_str()).unwrap_or_default();
                format!("secretsmanager:{operation} {secret}").trim_end().to_owned()
            }
        }
    }
}
