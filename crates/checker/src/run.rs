//! A whole run: the clients on a running stack, from the first room to the verdict.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use local_gateway::Gateway;
use local_gateway::faults::{Plan, PlanError};
use testkit::rows::TableError;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::account::{Account, Counts};
use crate::cast::Cast;
use crate::client::{Client, Phase, Stage};
use crate::evidence::Evidence;
use crate::judge::{History, judge};
use crate::plans;
use crate::tempo::Tempo;
use crate::verdict::Verdict;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What everything is drawn from: the cast, the clients' choices, and the faults if the plan has the same seed.
    pub seed: u64,
    /// How many rooms.
    pub rooms: usize,
    /// How many messages at least are sent until they are acknowledged.
    pub sends: u64,
    /// How many messages may be on their way at once, over all clients. More than the stack can take makes replies late.
    pub at_once: usize,
    /// The clients' times.
    pub tempo: Tempo,
    /// The faults, until all messages are sent.
    pub faults: Plan,
    /// How often all clients lose their connections at once.
    pub storms: u32,
    /// How long a token lets in, give or take a half; clients come back with a fresh one.
    pub session: Duration,
    /// How long messages are sent at most: what is not acknowledged by then is not waited for under faults.
    pub time_limit: Duration,
    /// How probably (0 to 1) a message is repeated at once, as if its reply were late.
    pub impatience: f64,
    /// How probably (0 to 1) a message is given up after one try.
    pub abandonment: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            rooms: 10,
            sends: 300,
            at_once: 16,
            tempo: Tempo::default(),
            faults: Plan::default(),
            storms: 1,
            session: Duration::from_secs(3600),
            time_limit: Duration::from_secs(120),
            impatience: 0.05,
            abandonment: 0.01,
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Messages acknowledged so far.
    pub acknowledged: u64,
    /// Since the beginning.
    pub since: Duration,
}

/// Why a run came to no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The faults cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The rooms could not be opened and joined, so there was nothing to judge.
    #[error("{left} of {clients} clients could not {what} within {PREPARING:?}; the functions' log says why")]
    Stuck {
        /// How many could not.
        left: usize,
        /// Of how many.
        clients: usize,
        /// What they could not do.
        what: &'static str,
    },
    /// The readers of the streams were not done in time.
    #[error("the streams were not read to their end within {QUIET:?} after the last message")]
    NeverQuiet,
    /// The tables cannot be read.
    #[error(transparent)]
    Unread(#[from] TableError),
}

/// How long rooms may take to be opened, and to be joined.
const PREPARING: Duration = Duration::from_secs(300);
/// How long it may take until all is quiet once the faults have ended.
const QUIET: Duration = Duration::from_secs(300);
/// How long the readers may take under faults for what was said.
const BACKLOG: Duration = Duration::from_secs(60);
/// How often the clients compare: a message of the last moments may still be on its way the first time.
const COMPARISONS: u32 = 5;

/// Runs the clients against a running stack whose tokens are signed with `token_secret`, and judges what they saw.
///
/// # Errors
///
/// See [`CheckError`]. A broken promise is no error: it stands in the verdict.
pub async fn run(
    gateway: &Gateway,
    token_secret: &str,
    options: &Options,
    progress: impl Fn(Progress),
) -> Result<Verdict, CheckError> {
    let began = Instant::now();
    gateway.faults().set(options.faults.clone())?;
    let cast = Cast::of(options.seed, options.rooms);
    let clients = cast.devices.len();
    let stage = Arc::new(Stage {
        url: gateway.websocket_url(),
        token_secret: token_secret.to_owned(),
        tempo: options.tempo.clone(),
        session: options.session,
        quota: options.sends.div_ceil(cast.writers() as u64),
        own_at_once: 2,
        at_once: Arc::new(Semaphore::new(options.at_once)),
        impatience: options.impatience,
        abandonment: options.abandonment,
        acknowledged: AtomicU64::new(0),
        cast,
    });
    let mut crew = Crew::start(&stage, options.seed);
    crew.prepare(Phase::Opening, "open their rooms").await?;
    crew.prepare(Phase::Joining, "take their seats").await?;
    let talking = Instant::now();
    crew.talk(&stage, options, |acknowledged| progress(Progress { acknowledged, since: began.elapsed() })).await;
    let talked = talking.elapsed();
    let in_time = stage.acknowledged.load(Ordering::Relaxed);

    // The faults strike until the readers have been through what was said, or what waits behind them would repair in peace
    // what was dropped before. Under faults that may take for ever.
    let _ = timeout(BACKLOG, gateway.streams().idle()).await;
    gateway.faults().calm();
    crew.all_through(Phase::Settling, QUIET).await;
    let mut evidence = Evidence::default();
    for comparison in 1..=COMPARISONS {
        quiet(gateway).await?;
        let before = Evidence::read(gateway).await?.entries();
        crew.all_through(Phase::Comparing(comparison), QUIET).await;
        quiet(gateway).await?;
        evidence = Evidence::read(gateway).await?;
        if evidence.entries() == before {
            break;
        }
    }
    let accounts = crew.leave().await;

    let mut counts = Counts::default();
    for account in &accounts {
        counts += account.counts;
    }
    let entries = evidence.entries();
    let rooms = stage.cast.rooms.iter().map(|(id, room)| (id.clone(), room.members.clone())).collect();
    let given_up = gateway.streams().given_up().len();
    // What went to the failure destination was pushed to nobody.
    let frames_arrived = plans::loses_no_frame(&options.faults) && given_up == 0;
    // Where one room's records are read in two invocations at once, the later ones may find a mark that the earlier ones are still
    // to move: it stays behind until its participant reads.
    let all_read = given_up == 0 && options.faults.streams.parallel.probability == 0.0;
    let history = History { rooms, accounts, evidence, frames_arrived, all_read };
    Ok(Verdict {
        seed: options.seed,
        asked: options.sends,
        in_time,
        violations: judge(&history),
        counts,
        clients,
        rooms: history.rooms.len(),
        entries,
        faults: gateway.faults().counts().into_iter().map(|(kind, count)| (kind.to_string(), count)).collect(),
        given_up,
        talked,
        took: began.elapsed(),
    })
}

/// Waits until every change has gone through every reader, and what those changed as well.
async fn quiet(gateway: &Gateway) -> Result<(), CheckError> {
    timeout(QUIET, gateway.streams().idle()).await.map_err(|_| CheckError::NeverQuiet)
}

/// All clients.
struct Crew {
    tasks: Vec<JoinHandle<Account>>,
    phase: watch::Sender<Phase>,
    storm: watch::Sender<u32>,
    reports: mpsc::UnboundedReceiver<(usize, Phase)>,
}

impl Crew {
    fn start(stage: &Arc<Stage>, seed: u64) -> Self {
        let (phase, storm) = (watch::Sender::new(Phase::Opening), watch::Sender::new(0));
        let (sender, reports) = mpsc::unbounded_channel();
        let client = |index| {
            let client = Client::new(stage.clone(), index, seed, phase.subscribe(), storm.subscribe(), sender.clone());
            tokio::spawn(client.run())
        };
        let tasks = (0..stage.cast.devices.len()).map(client).collect();
        Self { tasks, phase, storm, reports }
    }

    async fn prepare(&mut self, phase: Phase, what: &'static str) -> Result<(), CheckError> {
        let clients = self.tasks.len();
        match self.all_through(phase, PREPARING).await {
            0 => Ok(()),
            left => Err(CheckError::Stuck { left, clients, what }),
        }
    }

    /// Begins a phase, and waits until all clients are done with it or the time is over: then says how many are not.
    async fn all_through(&mut self, phase: Phase, limit: Duration) -> usize {
        self.phase.send_replace(phase);
        let mut waited_for: BTreeSet<usize> = (0..self.tasks.len()).collect();
        // What is not done by then shows in the accounts.
        let _ = timeout(limit, self.reports_of(phase, &mut waited_for)).await;
        waited_for.len()
    }

    async fn reports_of(&mut self, phase: Phase, waited_for: &mut BTreeSet<usize>) {
        while !waited_for.is_empty() {
            let Some((client, done)) = self.reports.recv().await else { return };
            if done == phase {
                waited_for.remove(&client);
            }
        }
    }

    /// Lets the clients talk, with their storms at even distances, until every one has its messages acknowledged.
    async fn talk(&mut self, stage: &Stage, options: &Options, progress: impl Fn(u64)) {
        let goal = stage.quota * stage.cast.writers() as u64;
        let storm = self.storm.clone();
        let acknowledged = || stage.acknowledged.load(Ordering::Relaxed);
        let weather = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(200));
            let mut storms = 0;
            for tick in 0_u64.. {
                ticks.tick().await;
                let now = acknowledged();
                if storms < options.storms && now * u64::from(options.storms + 1) >= goal * u64::from(storms + 1) {
                    storms += 1;
                    storm.send_replace(storms);
                }
                if tick % 50 == 49 {
                    progress(now);
                }
            }
        };
        tokio::select! {
            _ = self.all_through(Phase::Talking, options.time_limit) => {}
            () = weather => {}
        }
    }

    /// Ends all clients and gathers what they wrote down.
    async fn leave(self) -> Vec<Account> {
        self.phase.send_replace(Phase::Leaving);
        let mut accounts = Vec::with_capacity(self.tasks.len());
        for task in self.tasks {
            // A client that panicked has nothing to say; its panic stands on standard error.
            accounts.extend(task.await);
        }
        accounts
    }
}
