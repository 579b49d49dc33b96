//! Lambda: runs the template's functions, either as local processes or through a running `cargo lambda watch`.
//!
//! A process is started when an invocation finds none idle, runs one invocation at a time, and is kept for the next
//! one. If a process dies or exceeds its timeout, its invocation fails, and the next one starts a new process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

pub mod environment;
mod error;
mod log;
mod orphan_killer;
mod pool;
mod process;
mod process_stats;
mod remote;
mod runtime_api;

pub use error::InvokeError;
pub use log::{Log, LogLine, LogSink};
pub use process_stats::{Memory, ProcessStats};

use crate::faults::Faults;
use orphan_killer::OrphanKiller;
use pool::Pool;
use process::{Host, Program};
use process_stats::StatsRecorder;
use remote::CargoLambdaWatch;
use runtime_api::RuntimeApi;
use sam_template::{Function, Template};

/// Where the functions run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binaries {
    /// As processes of the gateway. The binary of a function is named after the last part of its `CodeUri`.
    Built {
        /// The folder of the binaries, for example `target/debug`.
        directory: PathBuf,
    },
    /// In a running `cargo lambda watch`, whose functions have the same names.
    Invoke {
        /// The address, for example `http://127.0.0.1:9000`.
        url: String,
    },
}

/// The binary of a function does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{function}: binary {} not found; run `cargo build --bin {binary}`", path.display())]
pub struct MissingBinary {
    /// The function's logical id.
    pub function: String,
    /// The binary's name.
    pub binary: String,
    /// Where it should be.
    pub path: PathBuf,
}

/// All functions of a template. Clones share them.
#[derive(Clone)]
pub struct Functions(Arc<Inner>);

struct Inner {
    runners: BTreeMap<String, Runner>,
    count: Box<dyn Fn(&str) + Send + Sync>,
    log: Log,
    stop: watch::Sender<bool>,
    processes: TaskTracker,
    api: Option<AbortHandle>,
}

enum Runner {
    Local(Arc<Pool>),
    Remote { watch: CargoLambdaWatch, binary: String },
}

impl Functions {
    /// Prepares the functions; a process starts only when an invocation needs it.
    ///
    /// `environments` holds the environment variables of each function, by logical id. `count` is called for every
    /// invocation. `faults` affect local processes only.
    ///
    /// # Errors
    ///
    /// If the Runtime API cannot listen on loopback. [`missing_binary`] checks that every binary exists.
    pub async fn start(
        template: &Template,
        binaries: &Binaries,
        environments: &BTreeMap<String, BTreeMap<String, String>>,
        log: Log,
        faults: Faults,
        count: impl Fn(&str) + Send + Sync + 'static,
    ) -> std::io::Result<Functions> {
        let (stop, stopping) = watch::channel(false);
        let processes = TaskTracker::new();
        // A tracker can only be waited for once it is closed; that does not keep it from tracking more.
        processes.close();
        let mut runners = BTreeMap::new();
        let mut api_task = None;
        match binaries {
            Binaries::Built { directory } => {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                let api = RuntimeApi::default();
                let host = Host {
                    api: api.clone(),
                    api_address: listener.local_addr()?,
                    orphan_killer: OrphanKiller::start(),
                    log: log.clone(),
                    faults,
                    stopping,
                    processes: processes.clone(),
                };
                api_task = Some(tokio::spawn(api.serve(listener)).abort_handle());
                let directory = std::path::absolute(directory)?;
                let folder = match template.folder.as_os_str().is_empty() {
                    true => std::env::current_dir()?,
                    false => std::path::absolute(&template.folder)?,
                };
                for (logical_id, function) in &template.functions {
                    let program = Program {
                        logical_id: logical_id.clone(),
                        function_arn: function.arn.clone(),
                        binary: binary_path(&directory, function),
                        folder: folder.clone(),
                        environment: environments.get(logical_id).cloned().unwrap_or_default(),
                        timeout: function.timeout,
                        stats: StatsRecorder::default(),
                    };
                    let pool = Pool::new(program, host.clone(), function.reserved_concurrency);
                    runners.insert(logical_id.clone(), Runner::Local(pool));
                }
            }
            Binaries::Invoke { url } => {
                let watch = CargoLambdaWatch::at(url);
                for (logical_id, function) in &template.functions {
                    let binary = function.binary().to_owned();
                    runners.insert(logical_id.clone(), Runner::Remote { watch: watch.clone(), binary });
                }
            }
        }
        Ok(Functions(Arc::new(Inner { runners, count: Box::new(count), log, stop, processes, api: api_task })))
    }

    /// Invokes a function and waits for its result, like `aws lambda invoke`. If the caller stops waiting, a running
    /// invocation continues to its end or timeout, and one that has no process yet is abandoned.
    ///
    /// # Errors
    ///
    /// See [`InvokeError`].
    pub async fn invoke(&self, logical_id: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let Some(runner) = self.0.runners.get(logical_id) else {
            return Err(InvokeError::UnknownFunction(logical_id.to_owned()));
        };
        let function = logical_id.to_owned();
        let invocation = match runner {
            Runner::Local(pool) => {
                let permit = pool.permit().await?;
                let pool = pool.clone();
                (self.0.count)(logical_id);
                tokio::spawn(async move { pool.invoke(payload, permit).await })
            }
            Runner::Remote { watch, binary } => {
                let watch = watch.clone();
                let binary = binary.clone();
                (self.0.count)(logical_id);
                tokio::spawn(async move { watch.invoke(&function, &binary, payload).await })
            }
        };
        invocation.await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// Statistics about the processes of each local function, by logical id.
    pub fn process_stats(&self) -> BTreeMap<String, ProcessStats> {
        let local = self.0.runners.iter().filter_map(|(function, runner)| match runner {
            Runner::Local(pool) => Some((function.clone(), pool.stats())),
            Runner::Remote { .. } => None,
        });
        local.collect()
    }

    /// The output of the functions.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Starts to stop: kills every process, fails every invocation, and accepts no further ones.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Stops, and waits until every process has ended.
    pub async fn shut_down(&self) {
        self.stop();
        self.0.processes.wait().await;
    }
}

impl Inner {
    fn stop(&self) {
        self.stop.send_replace(true);
        for runner in self.runners.values() {
            if let Runner::Local(pool) = runner {
                pool.stop();
            }
        }
        if let Some(api) = &self.api {
            api.abort();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The first function whose binary is not in the folder.
pub fn missing_binary(template: &Template, directory: &std::path::Path) -> Option<MissingBinary> {
    template.functions.values().find_map(|function| {
        let path = binary_path(directory, function);
        let missing = MissingBinary {
            function: function.logical_id.clone(),
            binary: function.binary().to_owned(),
            path: path.clone(),
        };
        (!path.is_file()).then_some(missing)
    })
}

fn binary_path(directory: &std::path::Path, function: &Function) -> PathBuf {
    directory.join(format!("{}{}", function.binary(), std::env::consts::EXE_SUFFIX))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// A function whose binary is `echo`.
    pub(crate) fn function(logical_id: &str) -> Function {
        Function {
            logical_id: logical_id.into(),
            name: format!("s-{logical_id}"),
            arn: format!("arn:aws:lambda:us-east-1:123456789012:function:s-{logical_id}"),
            code_uri: "crates/echo".into(),
            handler: "bootstrap".into(),
            runtime: "provided.al2023".into(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            environment: BTreeMap::new(),
            policies: Vec::new(),
            streams: Vec::new(),
            reserved_concurrency: None,
        }
    }
}
