//! One client: one device of one person, in all of that person's rooms. It follows PROTOCOL's "Using `seq`", trusts no
//! connection, and writes down what it sends, is told and sees.

mod answers;
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

use crate::account::Account;
use crate::cast::{Cast, Device};
use crate::errand::{Errand, What};
use crate::reading::Reading;
use crate::tempo::Tempo;

/// What all clients are at together. Each reports when it is done, and goes on listening until the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The rooms are opened.
    Opening,
    /// Those who come by themselves take their seats.
    Joining,
    /// Messages are sent.
    Talking,
    /// Whatever was asked for is answered.
    Settling,
    /// Everybody catches up, and reads the room list and whole histories; the number counts the tries.
    Comparing(u32),
    /// The end.
    Leaving,
}

/// What all clients share.
pub(crate) struct Stage {
    pub cast: Cast,
    pub url: String,
    pub token_secret: String,
    pub tempo: Tempo,
    /// How long a token lets in.
    pub session: Duration,
    /// How many messages each client sends until they are acknowledged.
    pub quota: u64,
    /// How many of its own a client has on their way at once.
    pub own_at_once: usize,
    /// How many messages are on their way at once over all clients.
    pub at_once: Arc<Semaphore>,
    /// How probably a message is repeated at once, as if its reply were late.
    pub impatience: f64,
    /// How probably a message is given up after one try.
    pub abandonment: f64,
    /// Messages acknowledged so far, over all clients.
    pub acknowledged: AtomicU64,
}

/// One client while it runs.
pub(crate) struct Client {
    stage: Arc<Stage>,
    device: Device,
    index: usize,
    rng: StdRng,
    phases: watch::Receiver<Phase>,
    /// The phase that this client has entered.
    phase: Phase,
    /// Changes when everybody loses their connection at once.
    storms: watch::Receiver<u32>,
    reports: mpsc::UnboundedSender<(usize, Phase)>,
    reported: Option<Phase>,
    readings: BTreeMap<String, Reading>,
    /// The rooms that this client opens on each of its connections.
    opened: BTreeSet<String>,
    errands: BTreeMap<u64, Errand>,
    next_errand: u64,
    next_heartbeat: Instant,
    next_message: Instant,
    /// Since when this connection is entitled to hear each room, in milliseconds since the epoch.
    listening_since: BTreeMap<String, u64>,
    /// When the token ends with which this connection was made: nothing is pushed past that.
    session_until: Instant,
    /// How old the next gap becomes before it is asked for.
    ask_after: Duration,
    account: Account,
}

/// The connection is of no use any more: the client connects anew.
pub(crate) struct Reconnect;

/// After so many tries, which take half a minute, a request counts as never answered.
const IN_VAIN: u32 = 5;

impl Client {
    pub(crate) fn new(
        stage: Arc<Stage>,
        index: usize,
        seed: u64,
        phases: watch::Receiver<Phase>,
        storms: watch::Receiver<u32>,
        reports: mpsc::UnboundedSender<(usize, Phase)>,
    ) -> Self {
        let device = stage.cast.devices[index].clone();
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index as u64));
        let participant = device.person.participant();
        let rooms: Vec<String> = stage.cast.rooms_of(&participant).map(str::to_owned).collect();
        let opened =
            rooms.iter().filter(|room| stage.cast.rooms[*room].open || rng.random_bool(0.3)).cloned().collect();
        let now = Instant::now();
        let account = Account { client: device.name.clone(), participant, ..Account::default() };
        Self {
            device,
            index,
            phases,
            phase: Phase::Opening,
            storms,
            reports,
            reported: None,
            readings: rooms.into_iter().map(|room| (room, Reading::default())).collect(),
            opened,
            errands: BTreeMap::new(),
            next_errand: 0,
            next_heartbeat: now + stage.tempo.next_heartbeat(&mut rng),
            next_message: now,
            listening_since: BTreeMap::new(),
            session_until: now,
            ask_after: stage.tempo.ask_after(&mut rng),
            account,
            rng,
            stage,
        }
    }

    /// Takes part until the end, and hands over what it wrote down.
    pub(crate) async fn run(mut self) -> Account {
        let phase = *self.phases.borrow_and_update();
        self.enter(phase);
        while let Some(socket) = self.connect().await {
            if let Some(mut socket) = self.converse(socket).await {
                if Instant::now() < self.session_until {
                    self.account.listening_since = std::mem::take(&mut self.listening_since);
                }
                socket.sender.close().await;
                break;
            }
        }
        // A heartbeat of the last moment may still be on its way; what was repeated in vain is not answered.
        let in_vain = self.errands.values().filter(|errand| errand.attempts >= IN_VAIN);
        self.account.unanswered = in_vain.map(|errand| errand.what.action().to_owned()).collect();
        for (room, reading) in std::mem::take(&mut self.readings) {
            self.account.shown.insert(room, reading.into_shown());
        }
        self.account
    }

    /// Connects, however often it takes; `None` at the end.
    async fn connect(&mut self) -> Option<WebSocket> {
        for failures in 0.. {
            tokio::time::sleep(self.stage.tempo.reconnect_after(failures, &mut self.rng)).await;
            if *self.phases.borrow() == Phase::Leaving {
                return None;
            }
            // Never the same for all, or all would come back at the same moment.
            let session = self.stage.session.mul_f64(self.rng.random_range(0.5..1.5));
            let asked = Instant::now();
            let token = self.device.person.token(&self.stage.token_secret, session);
            match WebSocket::connect_with_token(&self.stage.url, &token).await {
                Ok(socket) => {
                    self.account.counts.connections += 1;
                    // A token ends with a whole second.
                    self.session_until = asked + session.saturating_sub(Duration::from_secs(2));
                    return Some(socket);
                }
                Err(_) => self.account.counts.refused_handshakes += 1,
            }
        }
        None
    }

    /// Talks and listens until the connection is cut, or until the end: then the connection is handed back.
    async fn converse(&mut self, mut socket: WebSocket) -> Option<WebSocket> {
        self.resume();
        loop {
            self.make_requests(&mut socket).await.ok()?;
            self.report();
            let wake = tokio::time::Instant::from_std(self.next_wake());
            tokio::select! {
                frame = socket.receiver.next() => match frame {
                    Ok(frame) => self.receive(&frame).ok()?,
                    Err(Disconnected::Closed(_)) => {
                        self.account.counts.closed += 1;
                        return None;
                    }
                    Err(Disconnected::Cut) => return None,
                },
                () = tokio::time::sleep_until(wake) => {}
                Ok(()) = self.phases.changed() => {
                    let phase = *self.phases.borrow_and_update();
                    if phase == Phase::Leaving {
                        return Some(socket);
                    }
                    self.enter(phase);
                }
                Ok(()) = self.storms.changed() => {
                    self.storms.mark_unchanged();
                    return None;
                }
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        match phase {
            Phase::Opening => {
                let own = |room: &&crate::cast::Room| room.founder == self.index;
                let openings: Vec<_> =
                    self.stage.cast.rooms.values().filter(own).map(|room| room.opening.clone()).collect();
                for (action, fields) in openings {
                    self.want(What::Open { action, fields });
                }
            }
            Phase::Joining => {
                self.join_opened();
                let participant = self.account.participant.clone();
                let rooms = self.stage.cast.rooms.iter().filter(|(_, room)| room.joining.contains(&participant));
                let others = rooms.filter(|(id, _)| !self.opened.contains(*id));
                let joining: Vec<String> = others.map(|(id, _)| id.clone()).collect();
                for room in joining {
                    self.want(What::Join { room });
                }
            }
            Phase::Comparing(_) => self.compare(),
            Phase::Talking => {
                // Now everybody has their seats: what was heard of a room before depends on when that was.
                self.listening_since.values_mut().for_each(|since| *since = now_ms());
                self.listen();
            }
            Phase::Settling | Phase::Leaving => {}
        }
    }

    /// After connecting: everything that waits is asked for again, the rooms are opened, and all of them synced.
    fn resume(&mut self) {
        let now = Instant::now();
        self.listening_since.clear();
        self.listen();
        for errand in self.errands.values_mut() {
            errand.due = now;
        }
        if self.phase >= Phase::Joining {
            self.join_opened();
            self.sync_all();
        }
    }

    /// A connection is told what is said in its participant's rooms, of open ones in those that it joined.
    fn listen(&mut self) {
        if self.phase < Phase::Talking {
            return;
        }
        let now = now_ms();
        for room in self.readings.keys().filter(|room| !self.stage.cast.rooms[*room].open) {
            self.listening_since.insert(room.clone(), now);
        }
    }

    fn want(&mut self, what: What) {
        self.next_errand += 1;
        let errand = Errand { what, due: Instant::now(), attempts: 0, _permit: None };
        self.errands.insert(self.next_errand, errand);
    }

    /// Says once that this client is done with the phase.
    fn report(&mut self) {
        let phase = self.phase;
        if self.reported == Some(phase) || !self.is_done_with(phase) {
            return;
        }
        self.reported = Some(phase);
        // Nobody listens any more at the end.
        let _ = self.reports.send((self.index, phase));
    }

    fn is_done_with(&self, phase: Phase) -> bool {
        let none = |kind: fn(&What) -> bool| !self.errands.values().any(|errand| kind(&errand.what));
        match phase {
            Phase::Opening => none(|what| matches!(what, What::Open { .. })),
            Phase::Joining => none(|what| matches!(what, What::Join { .. })),
            Phase::Talking => self.account.counts.acknowledged >= self.stage.quota || self.readings.is_empty(),
            Phase::Settling | Phase::Comparing(_) => {
                self.errands.is_empty() && self.readings.values().all(|reading| reading.missing_since().is_none())
            }
            Phase::Leaving => false,
        }
    }
}

/// Milliseconds since the epoch.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
