//! The pool of all clients, which takes them through the phases of a run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Client, Control, Phase, RunContext};
use crate::history::ClientHistory;

/// How often the pool looks at the progress.
const TICK: Duration = Duration::from_millis(200);
/// How many ticks pass between two reports of progress: ten seconds.
const REPORT_TICKS: u64 = 50;

pub(crate) struct ClientPool {
    tasks: Vec<JoinHandle<ClientHistory>>,
    phase: watch::Sender<Phase>,
    mass_disconnects: watch::Sender<u32>,
    completed: mpsc::UnboundedReceiver<(usize, Phase)>,
}

impl ClientPool {
    pub(crate) fn start(context: &Arc<RunContext>, seed: u64) -> Self {
        let phase = watch::Sender::new(Phase::Opening);
        let mass_disconnects = watch::Sender::new(0);
        let (completed_sender, completed) = mpsc::unbounded_channel();
        let start_client = |index| {
            let control = Control {
                phases: phase.subscribe(),
                mass_disconnects: mass_disconnects.subscribe(),
                completed: completed_sender.clone(),
            };
            tokio::spawn(Client::new(context.clone(), control, index, seed).run())
        };
        let tasks = (0..context.workload.devices.len()).map(start_client).collect();
        Self { tasks, phase, mass_disconnects, completed }
    }

    /// Begins a phase, and waits until all clients have completed it or the time is over. Returns how many have not.
    pub(crate) async fn run_phase(&mut self, phase: Phase, time_limit: Duration) -> usize {
        self.phase.send_replace(phase);
        let mut remaining: BTreeSet<usize> = (0..self.tasks.len()).collect();
        // The histories show what was not completed in time.
        let _ = timeout(time_limit, self.wait_for_completion(phase, &mut remaining)).await;
        remaining.len()
    }

    async fn wait_for_completion(&mut self, phase: Phase, remaining: &mut BTreeSet<usize>) {
        while !remaining.is_empty() {
            let Some((client, completed)) = self.completed.recv().await else { return };
            if completed == phase {
                remaining.remove(&client);
            }
        }
    }

    /// Lets the clients send until all their messages are acknowledged, with mass disconnects at even intervals.
    pub(crate) async fn send_messages(
        &mut self,
        context: &RunContext,
        mass_disconnects: u32,
        time_limit: Duration,
        report_progress: impl Fn(u64),
    ) {
        let goal = context.messages_per_client * context.workload.writers() as u64;
        let disconnect = self.mass_disconnects.clone();
        let watch_progress = async {
            let mut ticks = tokio::time::interval(TICK);
            let mut disconnects = 0;
            for tick in 1_u64.. {
                ticks.tick().await;
                let acknowledged = context.acknowledged.load(Ordering::Relaxed);
                let is_due = acknowledged * u64::from(mass_disconnects + 1) >= goal * u64::from(disconnects + 1);
                if disconnects < mass_disconnects && is_due {
                    disconnects += 1;
                    disconnect.send_replace(disconnects);
                }
                if tick.is_multiple_of(REPORT_TICKS) {
                    report_progress(acknowledged);
                }
            }
        };
        tokio::select! {
            _ = self.run_phase(Phase::Sending, time_limit) => {}
            () = watch_progress => {}
        }
    }

    /// Stops all clients and collects their histories.
    pub(crate) async fn stop(self) -> Vec<ClientHistory> {
        self.phase.send_replace(Phase::Stopping);
        let mut histories = Vec::with_capacity(self.tasks.len());
        for task in self.tasks {
            // A client that panicked has no history; its panic is on standard error.
            histories.extend(task.await);
        }
        histories
    }
}
