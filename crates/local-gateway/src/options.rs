//! What a gateway runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::faults::Plan;
use crate::interceptor::{Interceptor, PassThrough};
use crate::lambda::{Binaries, LogSink};
use crate::socket::Limits;
use crate::streams::Timing;

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
    /// The loopback address of the WebSocket API and `@connections`; port 0 picks a free port.
    pub listen: SocketAddr,
    /// The loopback address of DynamoDB, its streams and Secrets Manager; port 0 picks a free port.
    pub endpoint: SocketAddr,
    /// Values of template parameters, by name; the others have their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Values of secrets, by logical id; the others are generated as the template says.
    pub secrets: BTreeMap<String, String>,
    /// The folder for the database and the generated secrets; without one, nothing is kept.
    pub data: Option<PathBuf>,
    /// Where the functions run.
    pub binaries: Binaries,
    /// Variables for all functions; they override the template's.
    pub environment: BTreeMap<String, String>,
    /// Where the output of the functions goes.
    pub log: LogSink,
    /// API Gateway's limits; tests shorten the times.
    pub limits: Limits,
    /// How long stream readers wait.
    pub streams: Timing,
    /// The faults to inject from the start; [`Gateway::faults`](crate::Gateway::faults) changes them at run time.
    pub faults: Plan,
    /// Changes what passes between the functions and AWS; by default nothing.
    pub interceptor: Arc<dyn Interceptor>,
}

impl Options {
    /// A stack named `local` on free loopback ports, which keeps nothing.
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
            interceptor: Arc::new(PassThrough),
        }
    }
}
