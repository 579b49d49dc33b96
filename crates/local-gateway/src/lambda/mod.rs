//! Lambda: runs the template's functions, either as processes of their own or through a running `cargo lambda watch`.
//!
//! A process is started when an invocation finds none idle, is given one invocation at a time, and is kept for the next
//! one. A process that dies or overruns its timeout fails its invocation and is replaced by the next one's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub mod environment;
mod error;
mod figures;
mod guard;
mod log;
mod pool;
mod process;
mod remote;
mod runtime_api;

pub use error::InvokeError;
pub use figures::{Figures, Memory};
pub use log::{Log, LogLine, LogSink};

use crate::faults::Faults;
use crate::living::Living;
use figures::Book;
use guard::Guard;
use pool::Pool;
use process::{Host, Program};
use remote::Watch;
use runtime_api::RuntimeApi;
use sam_template::{Function, Template};

/// Where the functions run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binaries {
    /// As processes of the gateway: the binary of a function is called like the last part of its `CodeUri`.
    Built {
        /// The folder they are in, for example `target/debug`.
        directory: PathBuf,
    },
    /// In a running `cargo lambda watch`, whose functions are called likewise.
    Invoke {
        /// Its address, for example `http://127.0.0.1:9000`.
        url: String,
    },
}

/// A function whose binary is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{function} needs the binary {}, which is not there; `cargo build --bin {binary}` makes it", path.display())]
pub struct MissingBinary {
    /// The function's logical id.
    pub function: String,
    /// The binary's name.
    pub binary: String,
    /// Where it was looked for.
    pub path: PathBuf,
}

/// All functions of a template. Clones are the same functions.
#[derive(Clone)]
pub struct Functions(Arc<Inner>);

struct Inner {
    runners: BTreeMap<String, Runner>,
    count: Box<dyn Fn(&str) + Send + Sync>,
    log: Log,
    stop: watch::Sender<bool>,
    living: Living,
    api: Option<AbortHandle>,
}

enum Runner {
    Here(Arc<Pool>),
    There { watch: Watch, binary: String },
}

impl Functions {
    /// Makes the functions ready; no process starts before its first invocation.
    ///
    /// `environments` holds what each function's processes get, by logical id; `count` is told of every invocation;
    /// `faults` strike invocations of the functions that run here.
    ///
    /// # Errors
    ///
    /// Where the Runtime API cannot listen on loopback. That every binary is there is [`missing_binary`]'s to say.
    pub async fn start(
        template: &Template,
        binaries: &Binaries,
        environments: &BTreeMap<String, BTreeMap<String, String>>,
        log: Log,
        faults: Faults,
        count: impl Fn(&str) + Send + Sync + 'static,
    ) -> std::io::Result<Functions> {
        let (stop, stopping) = watch::channel(false);
        let living = Living::none_yet();
        let mut runners = BTreeMap::new();
        let mut api_task = None;
        match binaries {
            Binaries::Built { directory } => {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                let api = RuntimeApi::default();
                let host = Host {
                    api: api.clone(),
                    api_address: listener.local_addr()?,
                    guard: Guard::start(),
                    log: log.clone(),
                    faults,
                    stopping,
                    living: living.clone(),
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
                        book: Book::default(),
                    };
                    let pool = Pool::new(program, host.clone(), function.reserved_concurrency);
                    runners.insert(logical_id.clone(), Runner::Here(pool));
                }
            }
            Binaries::Invoke { url } => {
                let watch = Watch::at(url);
                for (logical_id, function) in &template.functions {
                    let binary = function.binary().to_owned();
                    runners.insert(logical_id.clone(), Runner::There { watch: watch.clone(), binary });
                }
            }
        }
        Ok(Functions(Arc::new(Inner { runners, count: Box::new(count), log, stop, living, api: api_task })))
    }

    /// Invokes a function and waits for its result, like `aws lambda invoke`. Once begun, an invocation runs to its end
    /// or its timeout even when nobody waits for it any more; one that still waits for a process is forgotten then.
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
            Runner::Here(pool) => {
                let (pool, place) = (pool.clone(), pool.place().await?);
                (self.0.count)(logical_id);
                tokio::spawn(async move { pool.invoke(payload, place).await })
            }
            Runner::There { watch, binary } => {
                let (watch, binary) = (watch.clone(), binary.clone());
                (self.0.count)(logical_id);
                tokio::spawn(async move { watch.invoke(&function, &binary, payload).await })
            }
        };
        invocation.await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// What was seen of each function's processes, by logical id; nothing of those that run elsewhere.
    pub fn figures(&self) -> BTreeMap<String, Figures> {
        let here = self.0.runners.iter().filter_map(|(function, runner)| match runner {
            Runner::Here(pool) => Some((function.clone(), pool.figures())),
            Runner::There { .. } => None,
        });
        here.collect()
    }

    /// What the functions wrote.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Begins to stop: every process is killed, every invocation fails, and no other is accepted.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Stops, and waits until every process has ended.
    pub async fn shut_down(&self) {
        self.stop();
        self.0.living.ended().await;
    }
}

impl Inner {
    fn stop(&self) {
        self.stop.send_replace(true);
        for runner in self.runners.values() {
            if let Runner::Here(pool) = runner {
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

/// The first function whose binary is not in that folder.
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

    /// A function of that logical id, whose binary is `echo`.
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
