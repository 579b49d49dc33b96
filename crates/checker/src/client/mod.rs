//! One client: one device of one person, in all of that person's rooms. It follows "Using `seq`" of the protocol,
//! relies on no connection to last, and records its history.

mod generator;
mod phase;
mod phases;
mod receive;
mod replies;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testkit::WebSocket;
use testkit::websocket::Disconnected;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::history::ClientHistory;
use crate::operation::{Operation, PendingOperation};
use crate::room_view::RoomView;
use crate::timing::ClientTiming;
use crate::workload::{Device, Workload};
pub(crate) use phase::Phase;

/// What all clients share.
pub(crate) struct RunContext {
    pub workload: Workload,
    pub url: String,
    pub token_secret: String,
    pub timing: ClientTiming,
    pub token_lifetime: Duration,
    /// How many messages each client sends until they are acknowledged.
    pub messages_per_client: u64,
    /// How many messages one client has in flight.
    pub client_concurrency: usize,
    /// Limits the messages in flight over all clients.
    pub concurrency: Arc<Semaphore>,
    /// The probability that a message is retried at once, as if its reply were late.
    pub early_retry_probability: f64,
    /// The probability that a message is given up after one attempt.
    pub abandon_probability: f64,
    /// The messages acknowledged so far, over all clients.
    pub acknowledged: AtomicU64,
}

/// How the pool controls a client.
pub(crate) struct Control {
    pub phases: watch::Receiver<Phase>,
    /// Changes whenever all clients lose their connections at once.
    pub mass_disconnects: watch::Receiver<u32>,
    /// Reports which client has completed which phase.
    pub completed: mpsc::UnboundedSender<(usize, Phase)>,
}

pub(crate) struct Client {
    context: Arc<RunContext>,
    control: Control,
    device: Device,
    /// The device's index in the workload.
    index: usize,
    rng: StdRng,
    /// The phase that this client has entered.
    phase: Phase,
    completed: Option<Phase>,
    views: BTreeMap<String, RoomView>,
    /// The rooms that this client joins anew on each of its connections.
    subscriptions: BTreeSet<String>,
    /// By number.
    pending: BTreeMap<u64, PendingOperation>,
    last_operation: u64,
    next_heartbeat: Instant,
    next_message: Instant,
    /// Since when this connection is entitled to each room's events, in milliseconds since the epoch.
    subscribed_since: BTreeMap<String, u64>,
    /// When this connection's token expires. After that nothing is pushed.
    token_expires: Instant,
    /// How old the next gap becomes before it is repaired.
    repair_after: Duration,
    history: ClientHistory,
}

/// The client has to open a new connection.
pub(crate) struct Reconnect;

/// A request counts as never answered after this many attempts, which take half a minute.
const UNANSWERED_ATTEMPTS: u32 = 5;

/// How long before it expires a token is no longer relied on; `exp` counts whole seconds.
const EXPIRY_MARGIN: Duration = Duration::from_secs(2);

impl Client {
    pub(crate) fn new(context: Arc<RunContext>, control: Control, index: usize, seed: u64) -> Self {
        let device = context.workload.devices[index].clone();
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index as u64));
        let participant = device.owner.participant();
        let rooms: Vec<String> = context.workload.rooms_of(&participant).map(str::to_owned).collect();
        let subscriptions = rooms
            .iter()
            .filter(|room| context.workload.rooms[*room].is_open || rng.random_bool(0.3))
            .cloned()
            .collect();
        let now = Instant::now();
        let history = ClientHistory { client: device.name.clone(), participant, ..ClientHistory::default() };
        Self {
            device,
            index,
            control,
            phase: Phase::Opening,
            completed: None,
            views: rooms.into_iter().map(|room| (room, RoomView::default())).collect(),
            subscriptions,
            pending: BTreeMap::new(),
            last_operation: 0,
            next_heartbeat: now + context.timing.heartbeat_after(&mut rng),
            next_message: now,
            subscribed_since: BTreeMap::new(),
            token_expires: now,
            repair_after: context.timing.repair_after(&mut rng),
            history,
            rng,
            context,
        }
    }

    /// Runs until the pool stops it, and returns its history.
    pub(crate) async fn run(mut self) -> ClientHistory {
        let phase = *self.control.phases.borrow_and_update();
        self.enter(phase);
        while let Some(socket) = self.connect().await {
            if let Some(mut socket) = self.use_connection(socket).await {
                if Instant::now() < self.token_expires {
                    self.history.subscribed_since = std::mem::take(&mut self.subscribed_since);
                }
                socket.sender.close().await;
                break;
            }
        }
        // The last heartbeat may still be waiting for its reply; an operation that was retried often has got none.
        let unanswered = self.pending.values().filter(|pending| pending.attempts >= UNANSWERED_ATTEMPTS);
        self.history.unanswered = unanswered.map(|pending| pending.operation.action().to_owned()).collect();
        for (room, view) in std::mem::take(&mut self.views) {
            self.history.displayed.insert(room, view.into_displayed());
        }
        self.history
    }

    /// Connects, retrying as often as necessary. Returns `None` when the pool stops the client.
    async fn connect(&mut self) -> Option<WebSocket> {
        for failures in 0.. {
            tokio::time::sleep(self.context.timing.reconnect_after(failures, &mut self.rng)).await;
            if *self.control.phases.borrow() == Phase::Stopping {
                return None;
            }
            // Lifetimes differ, or all clients would reconnect at the same moment.
            let lifetime = self.context.token_lifetime.mul_f64(self.rng.random_range(0.5..1.5));
            let token_expires = Instant::now() + lifetime.saturating_sub(EXPIRY_MARGIN);
            let token = self.device.owner.token(&self.context.token_secret, lifetime);
            match WebSocket::connect_with_token(&self.context.url, &token).await {
                Ok(socket) => {
                    self.history.counts.connections += 1;
                    self.token_expires = token_expires;
                    return Some(socket);
                }
                Err(_) => self.history.counts.failed_handshakes += 1,
            }
        }
        None
    }

    /// Sends and receives until the connection ends. Returns the connection if the pool stops the client before that.
    async fn use_connection(&mut self, mut socket: WebSocket) -> Option<WebSocket> {
        self.resume();
        loop {
            self.send_due_requests(&mut socket).await.ok()?;
            self.report_completion();
            let wake = tokio::time::Instant::from_std(self.next_wake());
            tokio::select! {
                frame = socket.receiver.next() => match frame {
                    Ok(frame) => self.receive(&frame).ok()?,
                    Err(Disconnected::Closed(_)) => {
                        self.history.counts.closed_by_server += 1;
                        return None;
                    }
                    Err(Disconnected::Cut) => return None,
                },
                () = tokio::time::sleep_until(wake) => {}
                Ok(()) = self.control.phases.changed() => {
                    let phase = *self.control.phases.borrow_and_update();
                    if phase == Phase::Stopping {
                        return Some(socket);
                    }
                    self.enter(phase);
                }
                Ok(()) = self.control.mass_disconnects.changed() => {
                    self.control.mass_disconnects.mark_unchanged();
                    return None;
                }
            }
        }
    }

    /// On a new connection: sends all pending requests again, joins the subscribed rooms and syncs all rooms.
    fn resume(&mut self) {
        let now = Instant::now();
        self.subscribed_since.clear();
        self.subscribe_to_own_rooms();
        for pending in self.pending.values_mut() {
            pending.due = now;
        }
        if self.phase >= Phase::Joining {
            self.join_subscriptions();
            self.sync_all();
        }
    }

    /// Every connection receives the events of its participant's rooms, except for open ones, which have to be joined.
    fn subscribe_to_own_rooms(&mut self) {
        if self.phase < Phase::Sending {
            return;
        }
        let now = now_ms();
        for room in self.views.keys().filter(|room| !self.context.workload.rooms[*room].is_open) {
            self.subscribed_since.insert(room.clone(), now);
        }
    }

    fn join_subscriptions(&mut self) {
        for room in self.subscriptions.clone() {
            let joins_room =
                |operation: &Operation| matches!(operation, Operation::Join { room: joined } if *joined == room);
            if !self.is_pending(joins_room) {
                self.start(Operation::Join { room });
            }
        }
    }

    fn start(&mut self, operation: Operation) {
        self.last_operation += 1;
        let pending = PendingOperation { operation, due: Instant::now(), attempts: 0, _permit: None };
        self.pending.insert(self.last_operation, pending);
    }

    fn is_pending(&self, matches: impl Fn(&Operation) -> bool) -> bool {
        self.pending.values().any(|pending| matches(&pending.operation))
    }
}

/// Milliseconds since the epoch.
fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
