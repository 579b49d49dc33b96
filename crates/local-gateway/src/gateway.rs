//! Puts the parts together: one template in, a running stack out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::connections::Connections;
use crate::dynamodb::{Database, DatabaseError};
use crate::faults::{Faults, Plan, PlanError};
use crate::front::Front;
use crate::iam::Iam;
use crate::identity::Identities;
use crate::lambda::environment::{self, Credentials, Surroundings};
use crate::lambda::{Binaries, Functions, InvokeError, Log, LogLine, LogSink, MissingBinary, missing_binary};
use crate::ledger::{Ledger, OUTSIDE};
use crate::secrets::{Secrets, SecretsError};
use crate::socket::{Limits, NoSelection, RouteSelection, Socket};
use crate::streams::{Streams, StreamsError, Timing};
use sam_template::{StackContext, Template, TemplateError};

/// What to run, and where.
///
/// ```no_run
/// # use local_gateway::{Binaries, Options};
/// let binaries = Binaries::Built { directory: "target/debug".into() };
/// let options = Options { stack_name: "demo".into(), ..Options::new("template.yaml", binaries) };
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    /// The SAM template.
    pub template: PathBuf,
    /// The stack's name, the first part of every physical name.
    pub stack_name: String,
    /// Where the WebSocket API and `@connections` listen, on loopback; port 0 is a free one.
    pub listen: SocketAddr,
    /// Where DynamoDB, its streams and Secrets Manager listen, on loopback; port 0 is a free one.
    pub endpoint: SocketAddr,
    /// Values of the template's parameters, by name; the others have their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Values of the template's secrets, by logical id; the others are as the template makes them.
    pub secrets: BTreeMap<String, String>,
    /// Where the database and the generated secrets are kept; nowhere where there is none.
    pub data: Option<PathBuf>,
    /// Where the functions run.
    pub binaries: Binaries,
    /// Variables for all functions; they win over the template's.
    pub environment: BTreeMap<String, String>,
    /// Where the lines go that functions write.
    pub log: LogSink,
    /// API Gateway's limits; tests shorten the times.
    pub limits: Limits,
    /// How long the readers of streams wait.
    pub streams: Timing,
    /// Faults to put in the stack's way from its start; [`Gateway::faults`] changes them while it runs.
    pub faults: Plan,
}

impl Options {
    /// A stack called `local` on free ports of loopback, which keeps nothing.
    pub fn new(template: impl Into<PathBuf>, binaries: Binaries) -> Options {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Options {
            template: template.into(),
            stack_name: "local".into(),
            listen: free,
            endpoint: free,
            parameters: BTreeMap::new(),
            secrets: BTreeMap::new(),
            data: None,
            binaries,
            environment: BTreeMap::new(),
            log: LogSink::default(),
            limits: Limits::default(),
            streams: Timing::default(),
            faults: Plan::default(),
        }
    }
}

/// Why a gateway does not start: one sentence for the person who can change it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template describes nothing that clients could connect to.
    #[error("{} has no AWS::Serverless::WebSocketApi", _0.display())]
    NoApi(PathBuf),
    /// The API's routes cannot be selected.
    #[error(transparent)]
    Selection(#[from] NoSelection),
    /// A function's binary was not built.
    #[error(transparent)]
    MissingBinary(#[from] MissingBinary),
    /// The address can be reached from outside, and the gateway protects nothing.
    #[error("{0} is not a loopback address; the gateway is for this machine alone, so listen on 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// Something else listens there.
    #[error("{0} is already in use; stop what listens there, or choose another port")]
    InUse(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("{0} cannot be listened on: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The secrets cannot be had.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The readers of the streams cannot start.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// The fault plan cannot be followed.
    #[error(transparent)]
    Faults(#[from] PlanError),
    /// The functions' log cannot be written.
    #[error("the functions' log cannot be written: {0}")]
    Log(std::io::Error),
    /// The machine refuses what a gateway needs, such as a free port.
    #[error("the gateway cannot start: {0}")]
    Machine(std::io::Error),
}

/// A running stack. Dropping it ends it, and every process of its functions; [`Gateway::shut_down`] does so in order.
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
    front: Front,
    stage: String,
    sweeper: AbortHandle,
}

impl Gateway {
    /// Reads the template, makes what it describes, and serves it.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn start(options: Options) -> Result<Gateway, StartError> {
        crate::open_files::allow_many();
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
        let (iam, ledger) = (Iam::of(&template), Ledger::default());
        let front = {
            let (database, secrets, identities) = (database.clone(), secrets.clone(), identities.clone());
            Front::start(endpoint, database, secrets, identities, iam.clone(), ledger.clone(), faults.clone())
        };
        let front = front.map_err(StartError::Machine)?;

        let address = listener.local_addr().map_err(StartError::Machine)?;
        let surroundings = Surroundings {
            endpoint_url: front.url(),
            management_url: format!("http://{address}/{}", api.stage),
            extra: options.environment,
        };
        let environments = environments(&template, &surroundings, &identities);
        let counted = ledger.clone();
        let count = move |function: &str| counted.invocation(function);
        let functions = Functions::start(&template, &options.binaries, &environments, log, faults.clone(), count)
            .await
            .map_err(StartError::Machine)?;

        let (policies, pushes) = (iam.clone(), ledger.clone());
        let admit = Arc::new(move |method: &Method, access_key_id: &str, connection: &str| {
            let caller = identities.function(access_key_id);
            if let Some(function) = caller {
                policies.allow_connections(function, method.as_str(), connection)?;
            }
            if *method == Method::POST {
                pushes.push(caller.unwrap_or(OUTSIDE));
            }
            Ok(caller.map(str::to_owned))
        });
        let (stack, limits) = (&template.stack, &options.limits);
        let connections = Connections::none_yet(limits, admit, faults.clone());
        let socket = Socket::serve(listener, &api, selection, stack, limits, functions.clone(), connections)
            .map_err(StartError::Machine)?;
        let given_up = options.data.map(|folder| folder.join("failed-batches"));
        let invoker = functions.clone();
        let streams =
            Streams::start(&template, database.clone(), invoker, options.streams, given_up, faults.clone()).await?;
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
            front,
            stage,
            sweeper,
        })
    }

    /// Where clients connect: `ws://127.0.0.1:<port>/<stage>`.
    pub fn websocket_url(&self) -> String {
        format!("ws://{}/{}", self.socket.address(), self.stage)
    }

    /// The management API without `/@connections/<id>`: `http://127.0.0.1:<port>/<stage>`.
    pub fn management_url(&self) -> String {
        format!("http://{}/{}", self.socket.address(), self.stage)
    }

    /// DynamoDB, DynamoDB Streams and Secrets Manager: `http://127.0.0.1:<port>`.
    pub fn endpoint_url(&self) -> String {
        self.front.url()
    }

    /// The template, resolved.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Everything that a process of that function gets in its environment, but for what differs from process to process;
    /// nothing for a function that the template lacks.
    pub fn function_environment(&self, logical_id: &str) -> BTreeMap<String, String> {
        self.environments.get(logical_id).cloned().unwrap_or_default()
    }

    /// What `Ref` says of a resource: a table's name, a secret's ARN.
    pub fn resource(&self, logical_id: &str) -> Option<String> {
        self.template.references.get(logical_id).cloned()
    }

    /// The value of a secret, by its logical id.
    pub fn secret(&self, logical_id: &str) -> Option<&str> {
        self.secrets.value(logical_id)
    }

    /// Invokes a function, like `aws lambda invoke`.
    ///
    /// # Errors
    ///
    /// See [`InvokeError`]; a result that is no JSON is one of the function's.
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

    /// The functions, for whoever invokes them from elsewhere.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The tables.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The readers of the streams, which can be paused, waited for and made to repeat themselves.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Who may do what: what was allowed up to now, and a door to take something away.
    pub fn iam(&self) -> &Iam {
        &self.iam
    }

    /// What has been used up to now.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The faults in the stack's way: what they did, and a door to change them.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The ids of the open connections.
    pub fn connection_ids(&self) -> Vec<String> {
        self.socket.connection_ids()
    }

    /// The lines that functions wrote, with [`LogSink::Collect`].
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.functions.log().lines()
    }

    /// Waits for a line that fits, past or future, with [`LogSink::Collect`].
    pub async fn logged(&self, fits: impl Fn(&LogLine) -> bool) -> LogLine {
        self.functions.log().logged(fits).await
    }

    /// Ends the stack in order: the connections with their `$disconnect`, then the functions, of which no process is
    /// left when this returns.
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

/// Deletes expired items again and again. DynamoDB promises "within a few days"; here it is a minute.
async fn sweep(database: Database) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        if let Err(problem) = database.sweep_expired().await {
            tracing::warn!(problem = %problem.body, "expired items cannot be deleted");
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

/// What each function's processes get, by logical id.
fn environments(
    template: &Template,
    surroundings: &Surroundings,
    identities: &Identities,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let environment = |logical_id: &String| {
        let credentials = Credentials {
            access_key_id: identities.access_key_id(logical_id).unwrap_or_default().to_owned(),
            // Nothing checks signatures on loopback; the SDK only wants something to sign with.
            secret_access_key: "local".to_owned(),
            session_token: "local".to_owned(),
        };
        environment::of_function(&template.functions[logical_id], &template.stack, surroundings, &credentials)
    };
    template.functions.keys().map(|logical_id| (logical_id.clone(), environment(logical_id))).collect()
}
