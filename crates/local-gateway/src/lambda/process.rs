//! One process of a function: started, given one invocation at a time, killed when it is given up.

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
use uuid::Uuid;

use super::figures::Book;
use super::guard::Guard;
use super::log::{Log, LogLine};
use super::runtime_api::{Answer, Invocation, RuntimeApi, Slot};
use crate::faults::Faults;
use crate::living::{Life, Living};
use crate::timestamps::log_date;

/// How long a process may take from its start to its first question for an invocation, beyond the function's own
/// timeout: Lambda gives the INIT phase 10 seconds, and where that was not enough repeats it within the invocation.
const INIT: Duration = Duration::from_secs(10);

/// What every process of a gateway shares.
#[derive(Clone)]
pub(super) struct Host {
    pub api: RuntimeApi,
    pub api_address: SocketAddr,
    pub guard: Guard,
    pub log: Log,
    pub faults: Faults,
    /// True once the gateway stops: every process is killed then.
    pub stopping: watch::Receiver<bool>,
    /// How many processes live, so that the end of all of them can be waited for.
    pub living: Living,
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
    pub book: Book,
}

/// A running process. Dropping it kills it.
pub(super) struct Process {
    invocations: mpsc::Sender<Invocation>,
    slot: Arc<Slot>,
    exited: watch::Receiver<Option<String>>,
    started: Instant,
    is_new: bool,
    _wanted: mpsc::Sender<()>,
}

/// Why a process gave no result. It is of no use afterwards.
pub(super) enum Failure {
    /// It ended before it took the invocation, which can be given to another one. Holds what it reported, and how it ended.
    NotTaken(Option<Value>, String),
    /// It ended in the middle of the invocation.
    Crashed(String),
    /// It overran the time that it had, the function's timeout, or never came up.
    TimedOut(Duration),
}

/// How a fault ends an invocation, whatever the process does meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doom {
    /// Its process is killed so long after it took the invocation, or when it answers.
    Killed(Duration),
    /// Its answer is withheld until this time is over.
    TimesOut(Duration),
}

impl Process {
    /// Starts a process of that function; its first question for an invocation is not waited for.
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
        // A group of its own: a Ctrl-C in the terminal is the gateway's to handle.
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
            host.guard.watch(pid);
            program.book.lives(pid);
        }

        for stream in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
            tokio::spawn(host.log.clone().read(program.logical_id.clone(), stream));
        }
        let (wanted, unwanted) = mpsc::channel(1);
        let (exit, exited) = watch::channel(None);
        let life = host.living.begin();
        tokio::spawn(look_after(child, id, program.clone(), host.clone(), unwanted, exit, life));
        Ok(Process { invocations, slot, exited, started, is_new: true, _wanted: wanted })
    }

    /// Whether it still runs, as far as is known.
    pub(super) fn runs(&self) -> bool {
        self.exited.borrow().is_none()
    }

    /// Kills it and waits until it has ended.
    pub(super) async fn end(self) {
        let exited = self.exited.clone();
        drop(self);
        exit_of(exited).await;
    }

    /// Gives it an invocation and waits for what comes of it, or for its doom.
    pub(super) async fn invoke(
        &mut self,
        program: &Program,
        request_id: &str,
        payload: Bytes,
        doom: Option<Doom>,
    ) -> Result<Answer, Failure> {
        let (taken, was_taken) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            function_arn: program.function_arn.clone(),
            payload,
            timeout: program.timeout,
            taken,
            answer,
        };
        if self.invocations.send(invocation).await.is_err() {
            return Err(self.not_taken().await);
        }
        tokio::select! {
            biased;
            Ok(()) = was_taken => {}
            failure = self.not_taken() => return Err(failure),
            () = tokio::time::sleep(INIT + program.timeout) => return Err(Failure::TimedOut(program.timeout)),
        }
        let taken = Instant::now();
        let is_first = std::mem::take(&mut self.is_new);
        if let Some(asked) = self.slot.first_asked().filter(|_| is_first) {
            program.book.started_within(asked - self.started);
        }
        match doom {
            None => {}
            Some(Doom::Killed(after)) => {
                // An answer that comes first is lost all the same.
                let _ = tokio::time::timeout(after.min(program.timeout), answered).await;
                return Err(Failure::Crashed("with error: signal: killed".to_owned()));
            }
            Some(Doom::TimesOut(after)) => {
                let after = after.min(program.timeout);
                tokio::time::sleep(after).await;
                return Err(Failure::TimedOut(after));
            }
        }
        tokio::select! {
            biased;
            answer = answered => match answer {
                Ok(answer) => {
                    program.book.answered_within(taken.elapsed(), is_first);
                    Ok(answer)
                }
                // It asked for the next one without an answer to this one, or it ended; the latter is known in a moment.
                Err(_) => Err(Failure::Crashed(
                    tokio::time::timeout(Duration::from_secs(1), self.exit()).await
                        .unwrap_or_else(|_| "without answering the invocation".to_owned()),
                )),
            },
            how = exit_of(self.exited.clone()) => Err(Failure::Crashed(how)),
            () = tokio::time::sleep(program.timeout) => Err(Failure::TimedOut(program.timeout)),
        }
    }

    async fn not_taken(&self) -> Failure {
        let how = self.exit().await;
        Failure::NotTaken(self.slot.take_init_error(), how)
    }

    async fn exit(&self) -> String {
        exit_of(self.exited.clone()).await
    }
}

/// Waits until the process has ended, killing it when it is no longer wanted.
async fn look_after(
    mut child: Child,
    id: String,
    program: Program,
    mut host: Host,
    mut unwanted: mpsc::Receiver<()>,
    exit: watch::Sender<Option<String>>,
    life: Life,
) {
    let pid = child.id();
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        _ = unwanted.recv() => None,
        Ok(()) = stopped(&mut host.stopping) => None,
    };
    let by_itself = ended.is_some();
    let status = match ended {
        Some(status) => status,
        None => kill(&mut child).await,
    };
    if let Some(pid) = pid {
        host.guard.forget(pid);
        program.book.ended(pid);
    }
    host.api.remove(&id);
    let how = match status {
        Ok(status) => described(status),
        Err(problem) => format!("with error: {problem}"),
    };
    exit.send_replace(Some(how.clone()));
    if by_itself {
        host.log.write(LogLine { function: program.logical_id, line: format!("Runtime exited {how}") });
    }
    drop(life);
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
