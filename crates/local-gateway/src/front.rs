//! The one endpoint that the functions' SDKs speak to: DynamoDB, DynamoDB Streams and Secrets Manager, told apart by
//! `X-Amz-Target`. Every call passes through [`Front::answer`], which knows who called and writes the ledger.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, header};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::dynamodb::{ApiError, Database, tables_of};
use crate::faults::cut::{CuttableListener, Peer};
use crate::faults::{Faults, Kind, calls};
use crate::iam::Iam;
use crate::identity::Identities;
use crate::ledger::{Ledger, OUTSIDE, Units};
use crate::secrets::Secrets;

/// DynamoDB takes bodies up to 16 MB.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A service behind the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB, its streams included.
    DynamoDb,
    /// Secrets Manager.
    SecretsManager,
}

/// One call of an AWS API.
#[derive(Debug)]
pub struct Call {
    /// The logical id of the function that signed it; `None` for anybody else.
    pub caller: Option<String>,
    /// The service.
    pub service: Service,
    /// The operation, for example `PutItem`.
    pub operation: String,
    /// Its parameters.
    pub request: Value,
}

/// The endpoint. Dropping it stops it.
pub struct Front {
    address: SocketAddr,
    task: AbortHandle,
}

struct Behind {
    database: Database,
    secrets: Secrets,
    identities: Identities,
    iam: Iam,
    ledger: Ledger,
    faults: Faults,
}

/// What becomes of a call.
enum Reply {
    Says(Result<Value, ApiError>),
    /// It was performed, and nobody is told.
    Cut,
}

impl Front {
    /// Serves on that listener.
    ///
    /// # Errors
    ///
    /// Where the listener has no address.
    pub fn start(
        listener: TcpListener,
        database: Database,
        secrets: Secrets,
        identities: Identities,
        iam: Iam,
        ledger: Ledger,
        faults: Faults,
    ) -> std::io::Result<Front> {
        let address = listener.local_addr()?;
        let listener = CuttableListener(listener);
        let behind = Arc::new(Behind { database, secrets, identities, iam, ledger, faults });
        let router = Router::new()
            .route("/", post(receive))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(behind)
            .into_make_service_with_connect_info::<Peer>();
        let task = tokio::spawn(async move {
            // Ends only with the task: `axum::serve` retries whatever fails while it accepts.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Front { address, task: task.abort_handle() })
    }

    /// Where it is: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Behind {
    /// Answers a call. The one place that every call of every function passes: whether its policies allow it comes before
    /// everything else, and what they do not allow costs nothing and meets no fault.
    async fn answer(&self, call: Call) -> Reply {
        if let Some(function) = &call.caller {
            let allowed = match call.service {
                Service::DynamoDb => self.iam.allow_dynamodb(function, &call.operation, &call.request),
                Service::SecretsManager => {
                    self.iam.allow_secrets(function, &call.operation, &call.request, &self.secrets)
                }
            };
            if let Err(denial) = allowed {
                return Reply::Says(Err(denial.api_error()));
            }
        }
        let floor = call.caller.as_ref().map(|_| {
            self.faults.floor(|latencies| match call.service {
                Service::DynamoDb => latencies.of_dynamodb(&call.operation),
                Service::SecretsManager => latencies.secrets.as_ref(),
            })
        });
        let reply = self.fulfil(call).await;
        if let Some(floor) = floor {
            floor.passed().await;
        }
        reply
    }

    async fn fulfil(&self, call: Call) -> Reply {
        match (call.caller.clone(), call.service) {
            (Some(function), Service::DynamoDb) if self.faults.are_active() => {
                self.answer_under_faults(call, &function).await
            }
            _ => Reply::Says(self.perform_and_count(&call).await),
        }
    }

    async fn answer_under_faults(&self, mut call: Call, function: &str) -> Reply {
        let operation = call.operation.clone();
        if let Some(slow) = self.faults.strike(Kind::DynamoDbSlow, function, &operation) {
            tokio::time::sleep(slow.after).await;
        }
        let held_back = match self.faults.refuse(function, &operation, &mut call.request) {
            Ok(held_back) => held_back,
            Err(refused) => {
                self.ledger.call(function, &self.kind(&call), None);
                return Reply::Says(Err(refused));
            }
        };
        let sabotage = self.faults.sabotage();
        if let Some(sabotage) = &sabotage {
            sabotage.spoil(&mut call.request, |table| self.database.logical_id(table).to_owned());
        }
        let mut outcome = self.perform_and_count(&call).await;
        if let (Some(held_back), Ok(answer)) = (held_back, &mut outcome) {
            held_back.give_back(answer);
        }
        if let (Some(sabotage), Ok(Value::Object(answer))) = (&sabotage, &mut outcome)
            && sabotage.hides(&operation, &call.request, |table| self.database.logical_id(table).to_owned())
        {
            answer.remove("Item");
        }
        if self.faults.strike(Kind::DynamoDbFailedAfter, function, &operation).is_some() {
            return Reply::Says(Err(calls::failed()));
        }
        if self.faults.strike(Kind::DynamoDbCutAfter, function, &operation).is_some() {
            return Reply::Cut;
        }
        if self.faults.strike(Kind::DynamoDbNeverAnswered, function, &operation).is_some() {
            // Whoever asks gives up some day, and hangs up.
            std::future::pending::<()>().await;
        }
        Reply::Says(outcome)
    }

    async fn perform_and_count(&self, call: &Call) -> Result<Value, ApiError> {
        let outcome = self.perform(call).await;
        let units = outcome.as_ref().ok().map(|(_, units)| *units);
        self.ledger.call(call.caller.as_deref().unwrap_or(OUTSIDE), &self.kind(call), units);
        outcome.map(|(answer, _)| answer)
    }

    async fn perform(&self, call: &Call) -> Result<(Value, Units), ApiError> {
        match call.service {
            Service::DynamoDb => {
                let answer = self.database.call(&call.operation, call.request.clone()).await?;
                Ok((answer.body, answer.units))
            }
            Service::SecretsManager => {
                self.secrets.call(&call.operation, &call.request).map(|answer| (answer, Units::default()))
            }
        }
    }

    /// What the ledger counts a call as.
    fn kind(&self, call: &Call) -> String {
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

#[expect(clippy::expect_used, reason = "the response is made of parts that are always valid")]
async fn receive(
    State(behind): State<Arc<Behind>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let reply = match read(&behind, &headers, &body) {
        Ok(call) => behind.answer(call).await,
        Err(error) => Reply::Says(Err(error)),
    };
    let (status, body) = match reply {
        Reply::Says(Ok(body)) => (200, body),
        Reply::Says(Err(error)) => (error.status, error.body),
        Reply::Cut => {
            peer.scissors.cut();
            (200, Value::Null)
        }
    };
    let json =
        headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("application/x-amz-json-1.0");
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, json)
        .header("x-amzn-requestid", Uuid::new_v4().to_string())
        .body(Body::from(body.to_string()))
        .expect("a status of the API and a header of the request are valid in a response")
}

fn read(behind: &Behind, headers: &HeaderMap, body: &[u8]) -> Result<Call, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, operation) = match text("x-amz-target").split_once('.') {
        Some(("DynamoDB_20120810" | "DynamoDBStreams_20120810", operation)) => (Service::DynamoDb, operation),
        Some(("secretsmanager", operation)) => (Service::SecretsManager, operation),
        _ => return Err(ApiError::unknown_operation()),
    };
    let authorization = text("authorization");
    if crate::identity::signed_by(authorization).is_none() {
        let kind = "com.amazon.coral.service#MissingAuthenticationTokenException";
        let message = "Request must contain either a valid (registered) AWS access key ID or X.509 certificate.";
        return Err(ApiError::new(400, kind, message));
    }
    let request = serde_json::from_slice(body).ok().filter(Value::is_object).ok_or_else(|| {
        ApiError::new(400, "com.amazon.coral.service#SerializationException", "the body is not a JSON object")
    })?;
    let caller = behind.identities.caller(authorization).map(str::to_owned);
    Ok(Call { caller, service, operation: operation.to_owned(), request })
}

#[cfg(test)]
mod tests;
