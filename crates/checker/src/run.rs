//! A run on a running stack, from opening the rooms to the verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use local_gateway::Gateway;
use local_gateway::faults::{Plan, PlanError};
use testkit::rows::TableError;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::client::{Phase, RunContext};
use crate::client_pool::ClientPool;
use crate::history::Counts;
use crate::judge::{RunHistory, judge};
use crate::plans;
use crate::snapshot::DatabaseSnapshot;
use crate::timing::ClientTiming;
use crate::verdict::Verdict;
use crate::workload::Workload;

#[derive(Debug, Clone)]
pub struct Options {
    /// Determines the workload and the clients' choices, and the faults if the plan has the same seed.
    pub seed: u64,
    pub rooms: usize,
    /// The least number of messages to send until they are acknowledged.
    pub messages: u64,
    /// The most messages in flight, over all clients. More than the stack can handle makes replies late.
    pub concurrency: usize,
    pub timing: ClientTiming,
    /// The faults that are injected until all messages are sent.
    pub faults: Plan,
    /// How often all clients lose their connections at once.
    pub mass_disconnects: u32,
    /// The lifetime of tokens, give or take a half. Clients reconnect with new ones.
    pub token_lifetime: Duration,
    /// How long messages are sent. Messages that are not acknowledged by then are not counted.
    pub time_limit: Duration,
    /// The probability (0 to 1) that a message is retried at once, as if its reply were late.
    pub early_retry_probability: f64,
    /// The probability (0 to 1) that a message is given up after one attempt.
    pub abandon_probability: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            rooms: 10,
            messages: 300,
            concurrency: 16,
            timing: ClientTiming::default(),
            faults: Plan::default(),
            mass_disconnects: 1,
            token_lifetime: Duration::from_secs(3600),
            time_limit: Duration::from_secs(120),
            early_retry_probability: 0.05,
            abandon_probability: 0.01,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The messages acknowledged so far.
    pub acknowledged: u64,
    /// The time since the run began.
    pub elapsed: Duration,
}

/// Why a run ended without a verdict.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(
        "{stuck} of {clients} clients failed to {task} within {SETUP_TIMEOUT:?}; see the functions' log (--log FILE)"
    )]
    SetupFailed { stuck: usize, clients: usize, task: &'static str },
    #[error("the streams were still being read {QUIET_TIMEOUT:?} after the last message")]
    NeverQuiet,
    #[error(transparent)]
    Table(#[from] TableError),
}

/// How long opening and joining the rooms may take.
const SETUP_TIMEOUT: Duration = Duration::from_secs(300);
/// How long it may take until everything is quiet once the faults have ended.
const QUIET_TIMEOUT: Duration = Duration::from_secs(300);
/// How long the faults go on for the stream records of what was sent.
const BACKLOG_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the clients verify: a late message may still be in flight the first time.
const VERIFICATIONS: u32 = 5;
/// The most messages of one client in flight.
const CLIENT_CONCURRENCY: usize = 2;

/// Runs the clients against a running stack whose tokens are signed with `token_secret`, and judges their histories.
///
/// # Errors
///
/// See [`CheckError`]. A violation is not an error; it is part of the verdict.
pub async fn run(
    gateway: &Gateway,
    token_secret: &str,
    options: &Options,
    report_progress: impl Fn(Progress),
) -> Result<Verdict, CheckError> {
    let started = Instant::now();
    gateway.faults().set(options.faults.clone())?;
    let workload = Workload::generate(options.seed, options.rooms);
    let clients = workload.devices.len();
    let context = Arc::new(RunContext {
        url: gateway.websocket_url(),
        token_secret: token_secret.to_owned(),
        timing: options.timing.clone(),
        token_lifetime: options.token_lifetime,
        messages_per_client: options.messages.div_ceil(workload.writers() as u64),
        client_concurrency: CLIENT_CONCURRENCY,
        concurrency: Arc::new(Semaphore::new(options.concurrency)),
        early_retry_probability: options.early_retry_probability,
        abandon_probability: options.abandon_probability,
        acknowledged: AtomicU64::new(0),
        workload,
    });
    let mut pool = ClientPool::start(&context, options.seed);
    for (phase, task) in [(Phase::Opening, "open their rooms"), (Phase::Joining, "join their rooms")] {
        let stuck = pool.run_phase(phase, SETUP_TIMEOUT).await;
        if stuck > 0 {
            return Err(CheckError::SetupFailed { stuck, clients, task });
        }
    }
    let sending_started = Instant::now();
    pool.send_messages(&context, options.mass_disconnects, options.time_limit, |acknowledged| {
        report_progress(Progress { acknowledged, elapsed: started.elapsed() });
    })
    .await;
    let sending_time = sending_started.elapsed();
    let acknowledged_in_time = context.acknowledged.load(Ordering::Relaxed);

    // The faults go on until the streams have been read, or the backlog would repair without faults what was dropped
    // before. With some faults reading may never end.
    let _ = timeout(BACKLOG_TIMEOUT, gateway.streams().idle()).await;
    gateway.faults().calm();
    pool.run_phase(Phase::Settling, QUIET_TIMEOUT).await;
    let snapshot = verify(gateway, &mut pool).await?;
    let histories = pool.stop().await;

    let mut counts = Counts::default();
    for history in &histories {
        counts += history.counts;
    }
    let abandoned_batches = gateway.streams().given_up().len();
    let rooms = &context.workload.rooms;
    let run_history = RunHistory {
        members: rooms.iter().map(|(id, room)| (id.clone(), room.members.clone())).collect(),
        clients: histories,
        // Records in the failure destination were pushed to nobody.
        all_frames_arrived: plans::delivers_every_frame(&options.faults) && abandoned_batches == 0,
        // When two invocations read one room's records concurrently, the later records may find a read mark that the
        // earlier ones have yet to move; it then stays behind until its participant reads.
        all_records_in_order: abandoned_batches == 0 && options.faults.streams.parallel.probability == 0.0,
        snapshot,
    };
    Ok(Verdict {
        seed: options.seed,
        requested: options.messages,
        acknowledged_in_time,
        violations: judge(&run_history),
        counts,
        clients,
        rooms: rooms.len(),
        entries: run_history.snapshot.entry_count(),
        faults: gateway.faults().counts().into_iter().map(|(kind, count)| (kind.to_string(), count)).collect(),
        abandoned_batches,
        sending_time,
        total_time: started.elapsed(),
    })
}

/// Lets the clients verify until that adds no entry, and returns the tables as they are then.
async fn verify(gateway: &Gateway, pool: &mut ClientPool) -> Result<DatabaseSnapshot, CheckError> {
    let mut snapshot = quiet_snapshot(gateway).await?;
    for verification in 1..=VERIFICATIONS {
        let entries_before = snapshot.entry_count();
        pool.run_phase(Phase::Verifying(verification), QUIET_TIMEOUT).await;
        snapshot = quiet_snapshot(gateway).await?;
        if snapshot.entry_count() == entries_before {
            break;
        }
    }
    Ok(snapshot)
}

/// Reads the tables once every change has gone through every stream reader, and so have the changes that the readers
/// made.
async fn quiet_snapshot(gateway: &Gateway) -> Result<DatabaseSnapshot, CheckError> {
    timeout(QUIET_TIMEOUT, gateway.streams().idle()).await.map_err(|_| CheckError::NeverQuiet)?;
    Ok(DatabaseSnapshot::read(gateway).await?)
}
