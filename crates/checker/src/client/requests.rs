//! What a client asks for, and when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::json;
use testkit::WebSocket;
use testkit::websocket::Disconnected;

use super::{Client, Phase};
use crate::account::Sent;
use crate::entry::digest;
use crate::errand::{Errand, What};

impl Client {
    /// Makes every request that is due.
    pub(super) async fn make_requests(&mut self, socket: &mut WebSocket) -> Result<(), Disconnected> {
        let now = Instant::now();
        if self.next_heartbeat <= now {
            if self.phase <= Phase::Talking {
                self.sync_all();
            } else {
                // Everything is synced once more when all is compared; a heart that beats on would never be done.
                self.next_heartbeat = now + self.stage.tempo.next_heartbeat(&mut self.rng);
            }
        }
        self.ask_for_gaps(now);
        self.write_messages(now);
        let due: Vec<u64> = self.errands.iter().filter(|(_, errand)| errand.due <= now).map(|(id, _)| *id).collect();
        for id in due {
            let Some(errand) = self.errands.get_mut(&id) else { continue };
            errand.attempts += 1;
            let first = errand.attempts == 1;
            let sends = matches!(errand.what, What::Send { .. });
            let wait = if first && sends && self.rng.random_bool(self.stage.impatience) {
                Duration::from_millis(self.rng.random_range(0..=10))
            } else {
                self.stage.tempo.repeat_after(errand.attempts, &mut self.rng)
            };
            errand.due = now + wait;
            let mut request = errand.what.request(&self.readings);
            request["request_id"] = json!(format!("{id}.{}", errand.attempts));
            let counts = &mut self.account.counts;
            counts.repeated += u64::from(!first);
            counts.syncs += u64::from(matches!(errand.what, What::Sync { .. }));
            if first && sends && self.rng.random_bool(self.stage.abandonment) {
                counts.abandoned += 1;
                self.errands.remove(&id);
            }
            socket.sender.send(request.to_string()).await?;
        }
        Ok(())
    }

    /// Catches up with everything, and reads what is judged.
    pub(super) fn compare(&mut self) {
        self.account.list.clear();
        self.account.pages.clear();
        self.sync_all();
        self.want(What::List { cursor: None });
        let own = |room: &&String| self.stage.cast.rooms[*room].founder == self.index;
        let rooms: Vec<String> = self.readings.keys().filter(own).cloned().collect();
        for room in rooms {
            for (backwards, next) in [(false, json!({"after_seq": 0})), (true, json!({}))] {
                let limit = self.rng.random_range(20..=100);
                self.want(What::Page { room: room.clone(), backwards, next, limit });
            }
        }
    }

    pub(super) fn join_opened(&mut self) {
        for room in self.opened.clone() {
            let wanted = |errand: &Errand| matches!(&errand.what, What::Join { room: asked } if *asked == room);
            if !self.errands.values().any(wanted) {
                self.want(What::Join { room });
            }
        }
    }

    /// The heartbeat, which is also how a client catches up.
    pub(super) fn sync_all(&mut self) {
        let rooms: Vec<String> = self.readings.keys().cloned().collect();
        for rooms in rooms.chunks(50) {
            if !self
                .errands
                .values()
                .any(|errand| matches!(&errand.what, What::Sync { rooms: asked } if asked == rooms))
            {
                self.want(What::Sync { rooms: rooms.to_vec() });
            }
        }
        self.next_heartbeat = Instant::now() + self.stage.tempo.next_heartbeat(&mut self.rng);
    }

    /// When there is something to do next, if no frame comes before.
    pub(super) fn next_wake(&self) -> Instant {
        let due = self.errands.values().map(|errand| errand.due);
        let gaps = self.readings.iter().filter(|(room, _)| !self.asks_for(room));
        let gaps = gaps.filter_map(|(_, reading)| Some(reading.missing_since()? + self.ask_after));
        let message = self.may_write().then_some(self.next_message);
        due.chain(gaps).chain(message).chain([self.next_heartbeat]).min().unwrap_or(self.next_heartbeat)
    }

    /// Asks for what has been missing for too long.
    fn ask_for_gaps(&mut self, now: Instant) {
        let old = self
            .readings
            .iter()
            .filter(|(_, reading)| reading.missing_since().is_some_and(|since| since + self.ask_after <= now));
        let rooms: Vec<String> = old.map(|(room, _)| room.clone()).filter(|room| !self.asks_for(room)).collect();
        for room in rooms {
            self.account.counts.gaps += 1;
            self.ask_for(room);
            self.ask_after = self.stage.tempo.ask_after(&mut self.rng);
        }
    }

    fn asks_for(&self, room: &str) -> bool {
        self.errands.values().any(|errand| errand.what.repairs(room))
    }

    /// Asks for what is newer in a room, in either of the two ways.
    pub(super) fn ask_for(&mut self, room: String) {
        let what = if self.rng.random_bool(0.5) { What::Newer { room } } else { What::Sync { rooms: vec![room] } };
        self.want(what);
    }

    fn may_write(&self) -> bool {
        let on_their_way = self.errands.values().filter(|errand| matches!(errand.what, What::Send { .. })).count();
        self.phase == Phase::Talking
            && !self.readings.is_empty()
            && on_their_way < self.stage.own_at_once
            && self.account.counts.acknowledged + (on_their_way as u64) < self.stage.quota
    }

    fn write_messages(&mut self, now: Instant) {
        while self.next_message <= now && self.may_write() {
            let Ok(permit) = Arc::clone(&self.stage.at_once).try_acquire_owned() else {
                self.next_message = now + Duration::from_millis(self.rng.random_range(5..=40));
                return;
            };
            self.do_something_else();
            let (room, message) = (self.some_room(), self.some_words());
            let message_id = uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string();
            let sent = Sent { room: room.clone(), digest: digest(&message), acknowledged: Vec::new() };
            self.account.sent.insert(message_id.clone(), sent);
            self.account.counts.sends += 1;
            let fields = json!({ "room_id": room, "message_id": message_id, "message": message });
            self.next_errand += 1;
            let errand = Errand { what: What::Send { fields }, due: now, attempts: 0, _permit: Some(permit) };
            self.errands.insert(self.next_errand, errand);
            self.next_message = now + self.stage.tempo.next_message(&mut self.rng);
        }
    }

    /// Now and then a hospital moves a consult on, and somebody tries what they may not.
    fn do_something_else(&mut self) {
        if self.device.person.hospital_id.is_some() && self.rng.random_bool(0.05) {
            let statuses = ["waiting", "in_progress", "on_hold"];
            let (room, status) = (self.some_room(), statuses[self.rng.random_range(0..statuses.len())]);
            self.want(What::Status { room, status });
        }
        if self.rng.random_bool(0.03) {
            self.pry();
        }
    }

    /// Asks for a room of other people's, which must answer as if it did not exist. Groups and open rooms can be joined by
    /// whoever knows their name.
    fn pry(&mut self) {
        let index = self.rng.random_range(0..self.stage.cast.rooms.len());
        let room = self.stage.cast.rooms.keys().nth(index).cloned().unwrap_or_default();
        let private = room.starts_with("consult:") || room.starts_with("direct:");
        if !private || self.readings.contains_key(&room) {
            return;
        }
        let (action, fields) = match self.rng.random_range(0..5) {
            0 => ("getChatHistory", json!({ "room_id": room })),
            1 => ("sendMessage", json!({ "room_id": room, "message": "Let me in" })),
            2 => ("joinGroup", json!({ "group_id": room })),
            3 => ("markRead", json!({ "room_id": room, "seq": 1 })),
            // Leaves the room out, and is answered.
            _ => ("sync", json!({ "rooms": { room: 0 } })),
        };
        self.account.counts.pried += 1;
        self.want(What::Pry { action, fields });
    }

    /// Each client has a favourite room: some rooms are hot.
    fn some_room(&mut self) -> String {
        let favourite = self.rng.random_bool(0.3);
        let index = if favourite { 0 } else { self.rng.random_range(0..self.readings.len()) };
        self.readings.keys().nth(index).cloned().unwrap_or_default()
    }

    /// Mostly short, sometimes so long that few fit on a page; never the same twice.
    fn some_words(&mut self) -> String {
        let length = match self.rng.random_range(0..100) {
            0..2 => self.rng.random_range(1_000..3_500),
            2..10 => self.rng.random_range(100..400),
            _ => self.rng.random_range(0..30),
        };
        let filler = "어디가 아프세요? 머리가 아파요. ".chars().cycle().take(length).collect::<String>();
        format!("{} {} {filler}", self.device.name, self.account.counts.sends)
    }
}
