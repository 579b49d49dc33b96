//! When a client sends its requests: retries, heartbeats and the repair of gaps.

use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::json;
use testkit::WebSocket;
use testkit::websocket::Disconnected;

use super::{Client, Phase};
use crate::operation::Operation;

/// `sync` accepts this many rooms.
const SYNC_ROOMS: usize = 50;

impl Client {
    /// Sends every request that is due.
    pub(super) async fn send_due_requests(&mut self, socket: &mut WebSocket) -> Result<(), Disconnected> {
        let now = Instant::now();
        self.send_heartbeat(now);
        self.repair_gaps(now);
        self.generate_messages(now);
        let due: Vec<u64> =
            self.pending.iter().filter(|(_, pending)| pending.due <= now).map(|(number, _)| *number).collect();
        for number in due {
            self.send_request(number, now, socket).await?;
        }
        Ok(())
    }

    async fn send_request(&mut self, number: u64, now: Instant, socket: &mut WebSocket) -> Result<(), Disconnected> {
        let Some(pending) = self.pending.get_mut(&number) else { return Ok(()) };
        pending.attempts += 1;
        let is_first = pending.attempts == 1;
        let is_message = matches!(pending.operation, Operation::Send { .. });
        let retries_early = is_first && is_message && self.rng.random_bool(self.context.early_retry_probability);
        let wait = if retries_early {
            Duration::from_millis(self.rng.random_range(0..=10))
        } else {
            self.context.timing.retry_after(pending.attempts, &mut self.rng)
        };
        pending.due = now + wait;
        let mut request = pending.operation.request(&self.views);
        // An answer to any attempt answers the operation: see `take_answered`.
        request["request_id"] = json!(format!("{number}.{}", pending.attempts));
        let counts = &mut self.history.counts;
        counts.retries += u64::from(!is_first);
        counts.syncs += u64::from(matches!(pending.operation, Operation::Sync { .. }));
        if is_first && is_message && self.rng.random_bool(self.context.abandon_probability) {
            counts.abandoned += 1;
            self.pending.remove(&number);
        }
        socket.sender.send(request.to_string()).await
    }

    fn send_heartbeat(&mut self, now: Instant) {
        if self.next_heartbeat > now {
            return;
        }
        if self.phase <= Phase::Sending {
            self.sync_all();
        } else {
            // The verification syncs all rooms once more; with further heartbeats it would never be complete.
            self.next_heartbeat = now + self.context.timing.heartbeat_after(&mut self.rng);
        }
    }

    /// The heartbeat, which is also how a client catches up.
    pub(super) fn sync_all(&mut self) {
        let rooms: Vec<String> = self.views.keys().cloned().collect();
        for rooms in rooms.chunks(SYNC_ROOMS) {
            let same = |operation: &Operation| matches!(operation, Operation::Sync { rooms: other } if other == rooms);
            if !self.is_pending(same) {
                self.start(Operation::Sync { rooms: rooms.to_vec() });
            }
        }
        self.next_heartbeat = Instant::now() + self.context.timing.heartbeat_after(&mut self.rng);
    }

    /// Repairs the gaps that are old enough.
    fn repair_gaps(&mut self, now: Instant) {
        let is_old = |since: Option<Instant>| since.is_some_and(|since| since + self.repair_after <= now);
        let rooms: Vec<String> = self
            .views
            .iter()
            .filter(|(room, view)| is_old(view.missing_since()) && !self.is_being_repaired(room))
            .map(|(room, _)| room.clone())
            .collect();
        for room in rooms {
            self.history.counts.gaps += 1;
            self.read_new(room);
            self.repair_after = self.context.timing.repair_after(&mut self.rng);
        }
    }

    fn is_being_repaired(&self, room: &str) -> bool {
        self.is_pending(|operation| operation.repairs(room))
    }

    /// Reads a room's new entries, in one of the two possible ways.
    pub(super) fn read_new(&mut self, room: String) {
        let operation =
            if self.rng.random_bool(0.5) { Operation::ReadNew { room } } else { Operation::Sync { rooms: vec![room] } };
        self.start(operation);
    }

    /// When the client has to act next, unless a frame arrives before.
    pub(super) fn next_wake(&self) -> Instant {
        let due = self.pending.values().map(|pending| pending.due);
        let repairs = self
            .views
            .iter()
            .filter(|(room, _)| !self.is_being_repaired(room))
            .filter_map(|(_, view)| Some(view.missing_since()? + self.repair_after));
        let message = self.may_send_message().then_some(self.next_message);
        due.chain(repairs).chain(message).fold(self.next_heartbeat, Instant::min)
    }
}
