//! What a client writes: mostly messages, now and then something else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::json;

use super::{Client, Phase};
use crate::entry::digest;
use crate::history::Sent;
use crate::operation::{Operation, PendingOperation};

impl Client {
    pub(super) fn may_send_message(&self) -> bool {
        let in_flight =
            self.pending.values().filter(|pending| matches!(pending.operation, Operation::Send { .. })).count();
        self.phase == Phase::Sending
            && !self.views.is_empty()
            && in_flight < self.context.client_concurrency
            && self.history.counts.acknowledged + (in_flight as u64) < self.context.messages_per_client
    }

    pub(super) fn generate_messages(&mut self, now: Instant) {
        while self.next_message <= now && self.may_send_message() {
            let Ok(permit) = Arc::clone(&self.context.concurrency).try_acquire_owned() else {
                self.next_message = now + Duration::from_millis(self.rng.random_range(5..=40));
                return;
            };
            self.generate_other_requests();
            let room = self.random_room();
            let message = self.random_text();
            let message_id = uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string();
            let sent = Sent { room: room.clone(), digest: digest(&message), acknowledgements: Vec::new() };
            self.history.sent.insert(message_id.clone(), sent);
            self.history.counts.sent += 1;
            let fields = json!({ "room_id": room, "message_id": message_id, "message": message });
            self.last_operation += 1;
            let operation = Operation::Send { fields };
            let pending = PendingOperation { operation, due: now, attempts: 0, _permit: Some(permit) };
            self.pending.insert(self.last_operation, pending);
            self.next_message = now + self.context.timing.next_message_after(&mut self.rng);
        }
    }

    /// Now and then a hospital changes the status of a consult, and somebody tries what they are not allowed to do.
    fn generate_other_requests(&mut self) {
        if self.device.owner.hospital_id.is_some() && self.rng.random_bool(0.05) {
            const STATUSES: [&str; 3] = ["waiting", "in_progress", "on_hold"];
            let room = self.random_room();
            let status = STATUSES[self.rng.random_range(0..STATUSES.len())];
            self.start(Operation::ChangeStatus { room, status });
        }
        if self.rng.random_bool(0.03) {
            self.generate_unauthorized_request();
        }
    }

    /// Requests something about other people's rooms, which must be answered as if the room did not exist. Groups and
    /// open rooms are left out, because anybody who knows their id may join them.
    fn generate_unauthorized_request(&mut self) {
        let index = self.rng.random_range(0..self.context.workload.rooms.len());
        let room = self.context.workload.rooms.keys().nth(index).cloned().unwrap_or_default();
        let is_private = room.starts_with("consult:") || room.starts_with("direct:");
        if !is_private || self.views.contains_key(&room) {
            return;
        }
        let (action, fields) = match self.rng.random_range(0..5) {
            0 => ("getChatHistory", json!({ "room_id": room })),
            1 => ("sendMessage", json!({ "room_id": room, "message": "Let me in" })),
            2 => ("joinGroup", json!({ "group_id": room })),
            3 => ("markRead", json!({ "room_id": room, "seq": 1 })),
            // Answered with a reply, which leaves the room out.
            _ => ("sync", json!({ "rooms": { room: 0 } })),
        };
        self.history.counts.unauthorized += 1;
        self.start(Operation::Unauthorized { action, fields });
    }

    /// Each client prefers one of its rooms, so that some rooms are hot.
    fn random_room(&mut self) -> String {
        let prefers_first = self.rng.random_bool(0.3);
        let index = if prefers_first { 0 } else { self.rng.random_range(0..self.views.len()) };
        self.views.keys().nth(index).cloned().unwrap_or_default()
    }

    /// Mostly short, sometimes so long that few fit on a page, and never the same twice.
    fn random_text(&mut self) -> String {
        let length = match self.rng.random_range(0..100) {
            0..2 => self.rng.random_range(1_000..3_500),
            2..10 => self.rng.random_range(100..400),
            _ => self.rng.random_range(0..30),
        };
        let filler: String = "어디가 아프세요? 머리가 아파요. ".chars().cycle().take(length).collect();
        format!("{} {} {filler}", self.device.name, self.history.counts.sent)
    }
}
