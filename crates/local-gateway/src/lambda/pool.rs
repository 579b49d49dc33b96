//! The processes of one function: one per concurrent invocation, up to a limit. The process used last is reused first.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::error::InvokeError;
use super::process::{Failure, Host, InvocationFault, Process, Program};
use super::process_stats::ProcessStats;
use super::runtime_api::Answer;
use crate::faults::{Injected, Kind};

/// How many processes one function may have; further invocations wait. On AWS the limit is the account's, by default
/// 1,000.
const MAX_PROCESSES: usize = 10;

pub(super) struct Pool {
    program: Program,
    host: Host,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Process>>,
}

impl Pool {
    /// A pool without processes; the first one starts with the first invocation.
    pub(super) fn new(program: Program, host: Host, reserved_concurrency: Option<u32>) -> Arc<Pool> {
        let permits = reserved_concurrency.map_or(MAX_PROCESSES, |reserved| MAX_PROCESSES.min(reserved as usize));
        Arc::new(Pool { program, host, permits: Arc::new(Semaphore::new(permits)), idle: Mutex::default() })
    }

    /// Drops all idle processes and rejects further invocations.
    pub(super) fn stop(&self) {
        self.permits.close();
        self.idle().clear();
    }

    /// Waits until another invocation may run. A caller that stops waiting leaves the queue; otherwise, abandoned
    /// invocations would keep the next ones waiting until those are abandoned too.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        self.permits.clone().acquire_owned().await.map_err(|_| InvokeError::Stopped)
    }

    /// Runs one invocation to its end.
    pub(super) async fn invoke(&self, payload: Bytes, _permit: OwnedSemaphorePermit) -> Result<Bytes, InvokeError> {
        let request_id = Uuid::new_v4().to_string();
        let fault = self.invocation_fault();
        loop {
            let idle = self.take_idle();
            let reused = idle.is_some();
            let mut process = match idle {
                Some(process) => process,
                None => {
                    let floor = self.host.faults.floor(|latencies| latencies.cold_start.as_ref());
                    let process =
                        Process::start(&self.program, &self.host).map_err(|problem| self.not_started(&problem))?;
                    floor.passed().await;
                    process
                }
            };
            match process.invoke(&self.program, &request_id, payload.clone(), fault).await {
                Ok(answer) => {
                    self.keep(process);
                    return match answer {
                        Answer::Response(body) => Ok(body),
                        Answer::Error(payload) => {
                            Err(InvokeError::FunctionError { function: self.program.logical_id.clone(), payload })
                        }
                    };
                }
                // It ended while it was idle; another process can still run the invocation.
                Err(Failure::NotAccepted(..)) if reused && !self.permits.is_closed() => {}
                Err(_) if self.permits.is_closed() => return Err(InvokeError::Stopped),
                Err(failure) => {
                    if fault.is_some() {
                        // Its last writes come before anything that its failure leads to.
                        process.end().await;
                    }
                    return Err(self.failed(failure, request_id));
                }
            }
        }
    }

    pub(super) fn stats(&self) -> ProcessStats {
        self.program.stats.stats()
    }

    fn take_idle(&self) -> Option<Process> {
        let mut idle = self.idle();
        idle.retain(Process::is_running);
        if idle.is_empty() || self.inject(Kind::LambdaCrowd).is_some() {
            return None;
        }
        let process = idle.pop();
        // A process that must be replaced is dropped here, which ends it.
        process.filter(|_| self.inject(Kind::LambdaCold).is_none())
    }

    /// Keeps a process for the next invocation. The number of idle processes is limited; the oldest one goes.
    fn keep(&self, process: Process) {
        let mut idle = self.idle();
        if idle.len() >= MAX_PROCESSES {
            idle.remove(0);
        }
        idle.push(process);
    }

    fn invocation_fault(&self) -> Option<InvocationFault> {
        let kill = self.inject(Kind::LambdaKilled).map(|fault| InvocationFault::Kill(fault.delay));
        kill.or_else(|| self.inject(Kind::LambdaTimeout).map(|fault| InvocationFault::TimeOut(fault.delay)))
    }

    fn inject(&self, kind: Kind) -> Option<Injected> {
        self.host.faults.inject(kind, &self.program.logical_id, "")
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, failure: Failure, request_id: String) -> InvokeError {
        let function = self.program.logical_id.clone();
        match failure {
            Failure::NotAccepted(Some(payload), _) => InvokeError::FunctionError { function, payload },
            Failure::NotAccepted(None, how) | Failure::Crashed(how) => {
                InvokeError::Crashed { function, request_id, how }
            }
            Failure::TimedOut(after) => InvokeError::TimedOut { function, request_id, after },
        }
    }

    fn not_started(&self, problem: &std::io::Error) -> InvokeError {
        let binary = self.program.binary.display();
        InvokeError::NotStarted {
            function: self.program.logical_id.clone(),
            problem: format!("failed to start {}: {binary}: {problem}", self.program.logical_id),
        }
    }
}
