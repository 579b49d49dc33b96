//! One process of a function, which runs one invocation at a time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::body::Bytes;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use uuid::Uuid;

use super::log::{Log, LogLine};
use super::orphan_killer::OrphanKiller;
use super::process_stats::StatsRecorder;
use super::runtime_api::{Answer, Invocation, RuntimeApi, Slot};
use crate::faults::Faults;
use crate::timestamps::log_date;

/// How long a process may take from its start to its first request for an invocation, in addition to the function's
/// timeout: Lambda allows the INIT phase 10 seconds, and if that is not enough repeats it within the invocation.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for the exit of a process that did not respond to its invocation.
const EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// What all processes of a gateway share.
#[derive(Clone)]
pub(super) struct Host {
    pub api: RuntimeApi,
    pub api_address: SocketAddr,
    pub orphan_killer: OrphanKiller,
    pub log: Log,
    pub faults: Faults,
    /// True once the gateway stops; then every process is killed.
    pub stopping: watch::Receiver<bool>,
    pub processes: TaskTracker,
}

/// What to start.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub logical_id: String,
    pub function_arn: String,
    pub binary: PathBuf,
    pub folder: PathBuf,
    pub environment: BTreeMap<String, String>,
    pub timeout: Duration,
    pub stats: StatsRecorder,
}

/// A running process; dropping it kills it.
pub(super) struct Process {
    invocations: mpsc::Sender<Invocation>,
    slot: Arc<Slot>,
    exited: watch::Receiver<Option<String>>,
    started: Instant,
    is_new: bool,
    _alive: mpsc::Sender<()>,
}

/// Why a process gave no result. It is not used again.
pub(super) enum Failure {
    /// It ended before it accepted the invocation, which another process can run. Holds the error that it reported, and
    /// how it ended.
    NotAccepted(Option<Value>, String),
    /// It ended in the middle of the invocation.
    Crashed(String),
    /// It exceeded the time that it had, or never became ready.
    TimedOut(Duration),
}

/// A fault that ends an invocation, whatever the process does.
#[derive(Debug, Clone, Copy)]
pub(super) enum InvocationFault {
    /// The process is killed this long after it accepted the invocation, or when it responds.
    Kill(Duration),
    /// The response is withheld until this time has passed.
    TimeOut(Duration),
}

impl Process {
    /// Starts a process without waiting for its first request for an invocation.
    pub(super) fn start(program: &Program, host: &Host) -> std::io::Result<Process> {
        let id = Uuid::new_v4().simple().to_string();
        let log_stream = format!("{}/[$LATEST]{id}", log_date(SystemTime::now()));
        let mut command = Command::new(&program.binary);
        command
            .env_clear()
            .envs(&program.environment)
            .env("AWS_LAMBDA_RUNTIME_API", RuntimeApi::variable(host.api_address, &id))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", log_stream)
            .current_dir(&program.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Its own process group: the gateway handles a Ctrl-C in the terminal.
        #[cfg(unix)]
        command.process_group(0);
        // Before the process can ask for it.
        let (invocations, receiver) = mpsc::channel(1);
        let slot = host.api.add(&id, receiver);
        let started = Instant::now();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(problem) => {
                host.api.remove(&id);
                return Err(problem);
            }
        };
        if let Some(pid) = child.id() {
            host.orphan_killer.watch(pid);
            program.stats.started(pid);
        }

        for stream in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
            tokio::spawn(host.log.clone().read(program.logical_id.clone(), stream));
        }
        let (alive, dropped) = mpsc::channel(1);
        let (exit, exited) = watch::channel(None);
        let token = host.processes.token();
        tokio::spawn(supervise(child, id, program.clone(), host.clone(), dropped, exit, token));
        Ok(Process { invocations, slot, exited, started, is_new: true, _alive: alive })
    }

    /// Whether the process is still running, as far as is known.
    pub(super) fn is_running(&self) -> bool {
        self.exited.borrow().is_none()
    }

    /// Kills the process and waits until it has ended.
    pub(super) async fn end(self) {
        let exited = self.exited.clone();
        drop(self);
        exit_of(exited).await;
    }

    /// Runs an invocation, up to its result, failure or fault.
    pub(super) async fn invoke(
        &mut self,
        program: &Program,
        request_id: &str,
        payload: Bytes,
        fault: Option<InvocationFault>,
    ) -> Result<Answer, Failure> {
        let (accept, accepted) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            function_arn: program.function_arn.clone(),
            payload,
            timeout: program.timeout,
            accepted: accept,
            answer,
        };
        if self.invocations.send(invocation).await.is_err() {
            return Err(self.not_accepted().await);
        }
        tokio::select! {
            biased;
            Ok(()) = accepted => {}
            failure = self.not_accepted() => return Err(failure),
            () = tokio::time::sleep(INIT_TIMEOUT + program.timeout) => return Err(Failure::TimedOut(program.timeout)),
        }
        let started = Instant::now();
        let is_first = std::mem::take(&mut self.is_new);
        if let Some(asked) = self.slot.first_asked().filter(|_| is_first) {
            program.stats.ready_after(asked - self.started);
        }
        match fault {
            None => {}
            Some(InvocationFault::Kill(after)) => {
                // A response that arrives earlier is lost.
                let _ = tokio::time::timeout(after.min(program.timeout), answered).await;
                return Err(Failure::Crashed("with error: signal: killed".to_owned()));
            }
            Some(InvocationFault::TimeOut(after)) => {
                let after = after.min(program.timeout);
                tokio::time::sleep(after).await;
                return Err(Failure::TimedOut(after));
            }
        }
        tokio::select! {
            biased;
            answer = answered => match answer {
                Ok(answer) => {
                    program.stats.responded_after(started.elapsed(), is_first);
                    Ok(answer)
                }
                // It asked for the next invocation without responding to this one, or it ended; if so, its exit follows
                // soon.
                Err(_) => Err(Failure::Crashed(
                    tokio::time::timeout(EXIT_TIMEOUT, self.exit()).await
                        .unwrap_or_else(|_| "without answering the invocation".to_owned()),
                )),
            },
            how = exit_of(self.exited.clone()) => Err(Failure::Crashed(how)),
            () = tokio::time::sleep(program.timeout) => Err(Failure::TimedOut(program.timeout)),
        }
    }

    async fn not_accepted(&self) -> Failure {
        let how = self.exit().await;
        Failure::NotAccepted(self.slot.take_init_error(), how)
    }

    async fn exit(&self) -> String {
        exit_of(self.exited.clone()).await
    }
}

/// Waits until the process has ended, and kills it when it is dropped or the gateway stops.
async fn supervise(
    mut child: Child,
    id: String,
    program: Program,
    mut host: Host,
    mut dropped: mpsc::Receiver<()>,
    exit: watch::Sender<Option<String>>,
    token: TaskTrackerToken,
) {
    let pid = child.id();
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        _ = dropped.recv() => None,
        Ok(()) = stopped(&mut host.stopping) => None,
    };
    let exited = ended.is_some();
    let status = match ended {
        Some(status) => status,
        None => kill(&mut child).await,
    };
    if let Some(pid) = pid {
        host.orphan_killer.forget(pid);
        program.stats.ended(pid);
    }
    host.api.remove(&id);
    let how = match status {
        Ok(status) => described(status),
        Err(problem) => format!("with error: {problem}"),
    };
    exit.send_replace(Some(how.clone()));
    if exited {
        host.log.write(LogLine { function: program.logical_id, line: format!("Runtime exited {how}") });
    }
    drop(token);
}

/// Waits until the gateway stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) -> Result<(), watch::error::RecvError> {
    stopping.wait_for(|stopping| *stopping).await.map(|_| ())
}

async fn kill(child: &mut Child) -> std::io::Result<ExitStatus> {
    child.start_kill()?;
    child.wait().await
}

/// How a process ended, once it has.
async fn exit_of(mut exited: watch::Receiver<Option<String>>) -> String {
    match exited.wait_for(Option::is_some).await {
        Ok(how) => how.clone().unwrap_or_default(),
        Err(_) => "without providing a reason".to_owned(),
    }
}

/// Lambda's words for how a process ended.
fn described(status: ExitStatus) -> String {
    if status.success() {
        return "without providing a reason".to_owned();
    }
    if let Some(code) = status.code() {
        return format!("with error: exit status {code}");
    }
    format!("with error: signal: {}", signal_of(status))
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        Some(6) => "aborted".to_owned(),
        Some(9) => "killed".to_owned(),
        Some(11) => "segmentation fault".to_owned(),
        Some(15) => "terminated".to_owned(),
        Some(other) => other.to_string(),
        None => status.to_string(),
    }
}

#[cfg(not(unix))]
fn signal_of(status: ExitStatus) -> String {
    status.to_string()
}

fn boxed(stream: impl tokio::io::AsyncRead + Send + Unpin + 'static) -> Box<dyn tokio::io::AsyncRead + Send + Unpin> {
    Box::new(stream)
}
