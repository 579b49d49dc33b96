//! The processes of one function: as many as there are invocations at once, up to a bound, and the last one used first.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::InvokeError;
use super::figures::Figures;
use super::process::{Doom, Failure, Host, Process, Program};
use super::runtime_api::Answer;
use crate::faults::{Kind, Strike};

/// How many processes one function may have. On AWS the account's thousand; a laptop has other limits. Further
/// invocations wait their turn.
const PROCESSES: usize = 10;

/// The processes of one function.
pub(super) struct Pool {
    program: Program,
    host: Host,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Process>>,
}

impl Pool {
    /// A pool without processes: the first one starts with the first invocation.
    pub(super) fn new(program: Program, host: Host, reserved_concurrency: Option<u32>) -> Arc<Pool> {
        let places = reserved_concurrency.map_or(PROCESSES, |reserved| PROCESSES.min(reserved as usize));
        Arc::new(Pool { program, host, places: Arc::new(Semaphore::new(places)), idle: Mutex::default() })
    }

    /// Lets go of all idle processes and refuses every further invocation.
    pub(super) fn stop(&self) {
        self.places.close();
        self.idle().clear();
    }

    /// Waits for a place. Whoever stops waiting for it leaves the queue: an invocation that nobody wants any more, run
    /// all the same, would keep the next one waiting until nobody wants that either.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        self.places.clone().acquire_owned().await.map_err(|_| InvokeError::Stopped)
    }

    /// Runs one invocation, which has its place, to its end, whatever the end is.
    pub(super) async fn invoke(&self, payload: Bytes, _place: OwnedSemaphorePermit) -> Result<Bytes, InvokeError> {
        let request_id = Uuid::new_v4().to_string();
        let doom = self.doom();
        loop {
            let used_before = self.take_idle();
            let reused = used_before.is_some();
            let mut process = match used_before {
                Some(process) => process,
                None => {
                    let floor = self.host.faults.floor(|latencies| latencies.cold_start.as_ref());
                    let process =
                        Process::start(&self.program, &self.host).map_err(|problem| self.not_started(&problem))?;
                    floor.passed().await;
                    process
                }
            };
            match process.invoke(&self.program, &request_id, payload.clone(), doom).await {
                Ok(answer) => {
                    self.keep(process);
                    return match answer {
                        Answer::Response(body) => Ok(body),
                        Answer::Error(payload) => {
                            Err(InvokeError::FunctionError { function: self.program.logical_id.clone(), payload })
                        }
                    };
                }
                // It had ended while it was idle; another one can still run the invocation.
                Err(Failure::NotTaken(..)) if reused && !self.places.is_closed() => {}
                Err(_) if self.places.is_closed() => return Err(InvokeError::Stopped),
                Err(failure) => {
                    if doom.is_some() {
                        // Its last writes come before whatever its failure leads to.
                        process.end().await;
                    }
                    return Err(self.failed(failure, request_id));
                }
            }
        }
    }

    pub(super) fn figures(&self) -> Figures {
        self.program.book.figures()
    }

    fn take_idle(&self) -> Option<Process> {
        let mut idle = self.idle();
        idle.retain(Process::runs);
        if idle.is_empty() || self.strike(Kind::LambdaCrowd).is_some() {
            return None;
        }
        let process = idle.pop();
        // Dropped here, one that is to be replaced ends.
        process.filter(|_| self.strike(Kind::LambdaCold).is_none())
    }

    /// Keeps a process for the next invocation. A crowd of them is bounded like everything else: the eldest goes.
    fn keep(&self, process: Process) {
        let mut idle = self.idle();
        if idle.len() >= PROCESSES {
            idle.remove(0);
        }
        idle.push(process);
    }

    /// What the fault plan has in store for an invocation.
    fn doom(&self) -> Option<Doom> {
        let killed = self.strike(Kind::LambdaKilled).map(|strike| Doom::Killed(strike.after));
        killed.or_else(|| self.strike(Kind::LambdaTimeout).map(|strike| Doom::TimesOut(strike.after)))
    }

    fn strike(&self, kind: Kind) -> Option<Strike> {
        self.host.faults.strike(kind, &self.program.logical_id, "")
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, failure: Failure, request_id: String) -> InvokeError {
        let function = self.program.logical_id.clone();
        match failure {
            Failure::NotTaken(Some(payload), _) => InvokeError::FunctionError { function, payload },
            Failure::NotTaken(None, how) | Failure::Crashed(how) => InvokeError::Crashed { function, request_id, how },
            Failure::TimedOut(after) => InvokeError::TimedOut { function, request_id, after },
        }
    }

    fn not_started(&self, problem: &std::io::Error) -> InvokeError {
        let binary = self.program.binary.display();
        InvokeError::NotStarted {
            function: self.program.logical_id.clone(),
            problem: format!("{} cannot be started: {binary}: {problem}", self.program.logical_id),
        }
    }
}
