//! What a client does in each phase.

use rand::RngExt;
use serde_json::json;

use super::{Client, Phase, now_ms};
use crate::operation::Operation;
use crate::room_view::RoomView;

impl Client {
    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        match phase {
            Phase::Opening => {
                let own = self.context.workload.rooms.values().filter(|room| room.founder == self.index);
                let openings: Vec<_> = own.map(|room| room.opening.clone()).collect();
                for opening in openings {
                    self.start(Operation::OpenRoom { action: opening.action, fields: opening.fields });
                }
            }
            Phase::Joining => {
                self.join_subscriptions();
                let participant = self.history.participant.clone();
                let rooms = self.context.workload.rooms.iter();
                let joining: Vec<String> = rooms
                    .filter(|(id, room)| room.joining.contains(&participant) && !self.subscriptions.contains(*id))
                    .map(|(id, _)| id.clone())
                    .collect();
                for room in joining {
                    self.start(Operation::Join { room });
                }
            }
            Phase::Sending => {
                // Everybody has joined now. Events before this moment depended on when that happened.
                let now = now_ms();
                self.subscribed_since.values_mut().for_each(|since| *since = now);
                self.subscribe_to_own_rooms();
            }
            Phase::Verifying(_) => self.verify(),
            Phase::Settling | Phase::Stopping => {}
        }
    }

    /// Reports once that this client has completed the phase.
    pub(super) fn report_completion(&mut self) {
        let phase = self.phase;
        if self.completed == Some(phase) || !self.has_completed(phase) {
            return;
        }
        self.completed = Some(phase);
        // At the end the pool no longer receives reports.
        let _ = self.control.completed.send((self.index, phase));
    }

    fn has_completed(&self, phase: Phase) -> bool {
        match phase {
            Phase::Opening => !self.is_pending(|operation| matches!(operation, Operation::OpenRoom { .. })),
            Phase::Joining => !self.is_pending(|operation| matches!(operation, Operation::Join { .. })),
            Phase::Sending => {
                self.history.counts.acknowledged >= self.context.messages_per_client || self.views.is_empty()
            }
            Phase::Settling | Phase::Verifying(_) => {
                self.pending.is_empty() && self.views.values().all(|view| view.missing_since().is_none())
            }
            Phase::Stopping => false,
        }
    }

    /// Catches up with all rooms, and reads the room list and the complete history of the rooms it opened.
    fn verify(&mut self) {
        self.history.room_list.clear();
        self.history.paged_logs.clear();
        self.sync_all();
        self.start(Operation::ListRooms { cursor: None });
        let rooms: Vec<String> = self
            .views
            .keys()
            .filter(|room| self.context.workload.rooms[*room].founder == self.index)
            .cloned()
            .collect();
        for room in rooms {
            for (backward, next) in [(false, json!({"after_seq": 0})), (true, json!({}))] {
                let limit = self.rng.random_range(20..=100);
                self.start(Operation::ReadPage { room: room.clone(), backward, next, limit });
            }
        }
    }

    /// The last entry that this client has displayed in a room.
    pub(super) fn last_displayed(&self, room: &str) -> u64 {
        self.views.get(room).map_or(0, RoomView::last_displayed)
    }
}
