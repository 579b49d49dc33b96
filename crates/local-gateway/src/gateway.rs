//! Puts the parts together: one template in, a running stack out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::dynamodb::Database;
use crate::endpoint::{AwsEndpoint, Services};
use crate::faults::Faults;
use crate::iam::Iam;
use crate::identity::Identities;
use crate::lambda::environment::{self, Credentials, Endpoints};
use crate::lambda::{Binaries, Functions, InvokeError, Log, LogLine, missing_binary};
use crate::ledger::{Ledger, OUTSIDE};
use crate::options::Options;
use crate::secrets::{Secrets, SecretsError};
use crate::socket::{Authorize, RouteSelection, Socket, SocketOptions};
use crate::start_error::StartError;
use crate::streams::{ReaderOptions, Streams};
use sam_template::{StackContext, Template};

/// A running stack. Dropping it ends it, including the processes of its functions; [`Gateway::shut_down`] ends it in
/// order.
pub struct Gateway {
    template: Template,
    environments: BTreeMap<String, BTreeMap<String, String>>,
    secrets: Secrets,
    iam: Iam,
    ledger: Ledger,
    faults: Faults,
    database: Database,
    streams: Streams,
    functions: Functions,
    socket: Socket,
    endpoint: AwsEndpoint,
    stage: String,
    sweeper: AbortHandle,
}

impl Gateway {
    /// Reads the template, creates its resources, and serves them.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn start(options: Options) -> Result<Gateway, StartError> {
        crate::open_files::raise_limit();
        let stack = StackContext::local(&options.stack_name);
        let template = Template::read(&options.template, stack, &options.parameters)?;
        let api = template.api.clone().ok_or_else(|| StartError::NoApi(options.template.clone()))?;
        let selection = RouteSelection::parse(&api.route_selection_expression)?;
        if let Binaries::Built { directory } = &options.binaries
            && let Some(missing) = missing_binary(&template, directory)
        {
            return Err(missing.into());
        }
        let faults = Faults::of(&template, options.faults)?;
        let listener = listen(options.listen).await?;
        let endpoint = listen(options.endpoint).await?;
        let log = Log::open(&options.log).map_err(StartError::Log)?;

        let data = options.data.as_deref();
        let database = Database::open(&template, data).await?;
        let secrets = Secrets::of(&template, &options.secrets, data)?;
        let identities = Identities::of(&template);
        let iam = Iam::of(&template);
        let ledger = Ledger::default();
        let services = Services { database: database.clone(), secrets: secrets.clone(), ledger: ledger.clone() };
        let interceptor = options.interceptor;
        let endpoint = AwsEndpoint::start(
            endpoint,
            services,
            interceptor.clone(),
            identities.clone(),
            iam.clone(),
            faults.clone(),
        )
        .map_err(StartError::Machine)?;

        let address = listener.local_addr().map_err(StartError::Machine)?;
        let endpoints = Endpoints {
            endpoint_url: endpoint.url(),
            management_url: format!("http://{address}/{}", api.stage),
            extra: options.environment,
        };
        let environments = environments(&template, &endpoints, &identities);
        let counted = ledger.clone();
        let count = move |function: &str| counted.invocation(function);
        let functions = Functions::start(&template, &options.binaries, &environments, log, faults.clone(), count)
            .await
            .map_err(StartError::Machine)?;

        let socket_options = SocketOptions {
            selection,
            limits: options.limits,
            functions: functions.clone(),
            authorize: authorize(iam.clone(), ledger.clone(), identities),
            interceptor: interceptor.clone(),
            faults: faults.clone(),
        };
        let socket = Socket::serve(listener, &api, &template.stack, socket_options).map_err(StartError::Machine)?;
        let reader_options = ReaderOptions {
            timing: options.streams,
            failed_batches: options.data.map(|folder| folder.join("failed-batches")),
            faults: faults.clone(),
            interceptor,
        };
        let streams = Streams::start(&template, database.clone(), functions.clone(), reader_options).await?;
        let sweeper = tokio::spawn(sweep(database.clone())).abort_handle();
        let stage = api.stage;
        Ok(Gateway {
            template,
            environments,
            secrets,
            iam,
            ledger,
            faults,
            database,
            streams,
            functions,
            socket,
            endpoint,
            stage,
            sweeper,
        })
    }

    /// The URL for clients: `ws://127.0.0.1:<port>/<stage>`.
    pub fn websocket_url(&self) -> String {
        format!("ws://{}/{}", self.socket.address(), self.stage)
    }

    /// The URL of the management API without `/@connections/<id>`: `http://127.0.0.1:<port>/<stage>`.
    pub fn management_url(&self) -> String {
        format!("http://{}/{}", self.socket.address(), self.stage)
    }

    /// The URL of DynamoDB, DynamoDB Streams and Secrets Manager: `http://127.0.0.1:<port>`.
    pub fn endpoint_url(&self) -> String {
        self.endpoint.url()
    }

    /// The resolved template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The environment variables of a function that are the same for all its processes; empty if the template has no
    /// such function.
    pub fn function_environment(&self, logical_id: &str) -> BTreeMap<String, String> {
        self.environments.get(logical_id).cloned().unwrap_or_default()
    }

    /// The value of `Ref` for a resource: a table's name, a secret's ARN.
    pub fn resource(&self, logical_id: &str) -> Option<String> {
        self.template.references.get(logical_id).cloned()
    }

    /// The value of a secret, by its logical id.
    pub fn secret(&self, logical_id: &str) -> Option<String> {
        self.secrets.value(logical_id)
    }

    /// Replaces the value of a secret, like `aws secretsmanager put-secret-value`.
    ///
    /// # Errors
    ///
    /// If the template has no such secret.
    pub fn put_secret(&self, logical_id: &str, value: impl Into<String>) -> Result<(), SecretsError> {
        self.secrets.put(logical_id, value.into())
    }

    /// Invokes a function, like `aws lambda invoke`.
    ///
    /// # Errors
    ///
    /// See [`InvokeError`]; a result that is not JSON counts as a `FunctionError`.
    pub async fn invoke(&self, logical_id: &str, payload: Value) -> Result<Value, InvokeError> {
        let result = self.functions.invoke(logical_id, payload.to_string().into()).await?;
        serde_json::from_slice(&result).map_err(|problem| InvokeError::FunctionError {
            function: logical_id.to_owned(),
            payload: serde_json::json!({
                "errorType": "Runtime.InvalidResult",
                "errorMessage": format!("the result is not JSON: {problem}"),
            }),
        })
    }

    /// The functions.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The tables.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The stream readers, which can be paused, waited for and made to deliver again.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The permissions of the functions: which were used so far, and a way to revoke some.
    pub fn iam(&self) -> &Iam {
        &self.iam
    }

    /// What the functions have used so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The injected faults: their counts, and a way to change the plan.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The ids of the open connections.
    pub fn connection_ids(&self) -> Vec<String> {
        self.socket.connection_ids()
    }

    /// The output of the functions, with [`LogSink::Collect`](crate::LogSink::Collect).
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.functions.log().lines()
    }

    /// Waits for a matching line, past or future, with [`LogSink::Collect`](crate::LogSink::Collect).
    pub async fn logged(&self, matches: impl Fn(&LogLine) -> bool) -> LogLine {
        self.functions.log().logged(matches).await
    }

    /// Ends the stack in order: first the connections, including `$disconnect`, then the functions. When this returns,
    /// no process is left.
    pub async fn shut_down(self) {
        self.socket.shut_down().await;
        self.streams.pause();
        self.functions.shut_down().await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.sweeper.abort();
        self.socket.stop();
        self.functions.stop();
    }
}

/// Checks a request to `@connections` against the caller's policies, and counts pushes.
fn authorize(iam: Iam, ledger: Ledger, identities: Identities) -> Authorize {
    Arc::new(move |method, access_key_id, connection| {
        let caller = identities.function(access_key_id);
        if let Some(function) = caller {
            iam.allow_connections(function, method.as_str(), connection)?;
        }
        if *method == Method::POST {
            ledger.push(caller.unwrap_or(OUTSIDE));
        }
        Ok(caller.map(str::to_owned))
    })
}

/// Deletes expired items every minute. DynamoDB promises "within a few days".
async fn sweep(database: Database) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        if let Err(problem) = database.sweep_expired().await {
            tracing::warn!(problem = %problem.body, "failed to delete expired items");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|problem| match problem.kind() {
        std::io::ErrorKind::AddrInUse => StartError::InUse(address),
        _ => StartError::Listen(address, problem),
    })
}

/// The environment variables of each function, by logical id.
fn environments(
    template: &Template,
    endpoints: &Endpoints,
    identities: &Identities,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let environment = |logical_id: &String| {
        let credentials = Credentials {
            access_key_id: identities.access_key_id(logical_id).unwrap_or_default().to_owned(),
            // The gateway does not check signatures, but the SDK needs something to sign with.
            secret_access_key: "local".to_owned(),
            session_token: "local".to_owned(),
        };
        environment::of_function(&template.functions[logical_id], &template.stack, endpoints, &credentials)
    };
    template.functions.keys().map(|logical_id| (logical_id.clone(), environment(logical_id))).collect()
}
