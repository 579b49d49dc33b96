//! What comes to a client: replies, errors and events.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::{Value, json};

use super::{Client, Phase, Reconnect, now_ms};
use crate::account::{Acknowledged, Listed};
use crate::entry::Entry;
use crate::errand::{Errand, What};
use crate::reading::Received;

/// The largest frame that API Gateway lets through.
const FRAME: usize = 128 * 1024;
/// The largest page, unless one message alone is larger.
const PAGE: usize = 32 * 1024;

/// By which way an entry came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Event,
    Asked,
    Reply,
}

impl Client {
    /// Takes in a frame. [`Reconnect`] where the client must connect anew.
    pub(super) fn receive(&mut self, text: &str) -> Result<(), Reconnect> {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            self.account.malformed.push("it is not JSON".to_owned());
            return Ok(());
        };
        let kind = frame["type"].as_str().unwrap_or_default();
        if text.len() > FRAME {
            self.account.oversized.push((kind.to_owned(), text.len()));
        }
        match kind {
            "reply" => self.reply(&frame, text.len()),
            "error" => return self.error(&frame),
            "message" => {
                if let Some(room) = self.own_room(&frame["room_id"], kind) {
                    self.entry(&room, &frame, Way::Event);
                }
            }
            "room" => {
                if let Some(room) = self.own_room(&frame["room"]["room_id"], kind) {
                    self.hear_of(&room, &frame["room"]["last_seq"]);
                }
            }
            "translation" | "read" => {
                self.own_room(&frame["room_id"], kind);
            }
            // A frame of API Gateway itself: the outcome is unknown, so the request is repeated when it is time.
            "" if frame["message"].is_string() && frame["connectionId"].is_string() => {
                self.account.counts.failures += 1;
            }
            _ => self.account.malformed.push(format!("its type is {}", frame["type"])),
        }
        Ok(())
    }

    /// The room that a frame is about, where it is one of the client's own.
    fn own_room(&mut self, room: &Value, kind: &str) -> Option<String> {
        let room = room.as_str().unwrap_or_default();
        if self.readings.contains_key(room) {
            return Some(room.to_owned());
        }
        self.account.foreign.push((room.to_owned(), kind.to_owned()));
        None
    }

    fn hear_of(&mut self, room: &str, seq: &Value) {
        if let (Some(reading), Some(seq)) = (self.readings.get_mut(room), seq.as_u64()) {
            reading.hear_of(seq, Instant::now());
        }
    }

    fn entry(&mut self, room: &str, view: &Value, way: Way) {
        match Entry::read(view) {
            Some(entry) => self.take_in(room, entry, way),
            None => self.account.malformed.push(format!("{} of {room} cannot be read", view["seq"])),
        }
    }

    fn take_in(&mut self, room: &str, entry: Entry, way: Way) {
        let Some(reading) = self.readings.get_mut(room) else { return };
        let counts = &mut self.account.counts;
        counts.pushed += u64::from(way == Way::Event);
        if way != Way::Asked {
            self.account.heard.entry(room.to_owned()).or_default().insert(entry.seq);
        }
        match reading.receive(entry.clone(), Instant::now()) {
            Received::New => counts.repaired += u64::from(way == Way::Asked),
            Received::Double => {
                counts.doubles += 1;
                counts.pushed_again += u64::from(way == Way::Event);
            }
            Received::Contradiction { first } => self.account.contradictions.push((room.to_owned(), first, entry)),
        }
        let mark = reading.mark();
        let marks = |errand: &Errand| matches!(&errand.what, What::Mark { room: asked, .. } if asked == room);
        // Once all is quiet, nothing moves what is compared.
        let talking = self.phase <= Phase::Talking;
        if talking && mark > 0 && self.rng.random_bool(0.02) && !self.errands.values().any(marks) {
            self.want(What::Mark { room: room.to_owned(), seq: mark });
        }
    }

    /// What was asked for, where it is not yet answered. A request is named `<errand>.<attempt>`: an answer to any attempt
    /// answers all of them.
    fn answered(&mut self, frame: &Value) -> Option<What> {
        let errand = frame["request_id"].as_str()?.split_once('.')?.0.parse().ok()?;
        Some(self.errands.remove(&errand)?.what)
    }

    fn reply(&mut self, reply: &Value, bytes: usize) {
        let asked = self.answered(reply);
        let action = reply["action"].as_str().unwrap_or_default();
        if let Some(What::Pry { action: pried, fields }) = &asked
            && *pried != "sync"
        {
            return self.account.foreign.push((fields.to_string(), format!("reply to {pried}")));
        }
        match action {
            "sendMessage" => self.acknowledged(reply),
            "createRoom" | "joinGroup" => {
                if let Some(room) = self.own_room(&reply["room"]["room_id"], "reply") {
                    if action == "joinGroup" {
                        // A room that was joined before is not listened to any later for being joined again.
                        self.listening_since.entry(room.clone()).or_insert_with(now_ms);
                    }
                    self.hear_of(&room, &reply["room"]["last_seq"]);
                }
            }
            "sync" => self.synced(reply, bytes),
            "getChatHistory" => self.history(reply, bytes, asked),
            "markRead" => {
                if let (Some(room), Some(mark)) =
                    (self.own_room(&reply["room_id"], "reply"), reply["last_read_seq"].as_u64())
                {
                    let known = self.account.marks.entry(room).or_default();
                    *known = mark.max(*known);
                }
            }
            "changeRoomStatus" => {
                let read = (reply["room_id"].as_str(), reply["status"].as_str(), reply["seq"].as_u64());
                match read {
                    (Some(room), Some(status), Some(seq)) => {
                        self.account.statuses.push((room.to_owned(), status.to_owned(), seq));
                    }
                    _ => self.account.malformed.push("a reply to changeRoomStatus cannot be read".to_owned()),
                }
            }
            "getRoomList" => self.listed(reply, asked),
            action => self.account.malformed.push(format!("a reply to the action {action}")),
        }
    }

    fn acknowledged(&mut self, reply: &Value) {
        let read = || {
            let acknowledged = Acknowledged { seq: reply["seq"].as_u64()?, sent_at: reply["sent_at"].as_u64()? };
            Some((reply["message_id"].as_str()?, acknowledged, reply["duplicate"].as_bool()?))
        };
        let Some((message_id, acknowledged, duplicate)) = read() else {
            return self.account.malformed.push("a reply to sendMessage cannot be read".to_owned());
        };
        let sender = self.account.participant.clone();
        let Some(sent) = self.account.sent.get_mut(message_id).filter(|sent| reply["room_id"] == *sent.room) else {
            return self.account.malformed.push(format!("it acknowledges {message_id}, which was not sent there"));
        };
        if sent.acknowledged.is_empty() {
            self.account.counts.acknowledged += 1;
            self.stage.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        self.account.counts.duplicates += u64::from(duplicate);
        sent.acknowledged.push(acknowledged);
        let Acknowledged { seq, sent_at } = acknowledged;
        let (room, digest) = (sent.room.clone(), sent.digest);
        // The reply is the sender's own copy of the message.
        let entry = Entry { seq, message_id: message_id.to_owned(), text: true, sender, digest, sent_at };
        self.take_in(&room, entry, Way::Reply);
    }

    fn synced(&mut self, reply: &Value, bytes: usize) {
        let rooms = reply["rooms"].as_array().map(Vec::as_slice).unwrap_or_default();
        let given: usize = rooms.iter().map(|room| room["messages"].as_array().map_or(0, Vec::len)).sum();
        if bytes > PAGE && given > 1 {
            self.account.oversized.push(("sync".to_owned(), bytes));
        }
        for newer in rooms {
            let Some(room) = self.own_room(&newer["room_id"], "reply") else { continue };
            for view in newer["messages"].as_array().into_iter().flatten() {
                self.entry(&room, view, Way::Asked);
            }
            let last_seq = newer["last_seq"].as_u64().unwrap_or_default();
            let reached = self.readings.get(&room).map_or(0, crate::reading::Reading::mark);
            match newer["complete"].as_bool() {
                Some(true) if reached < last_seq => {
                    self.account.silent_gaps.push((room.clone(), reached, last_seq));
                }
                Some(true) => {}
                Some(false) => self.ask_for(room.clone()),
                None => self.account.malformed.push("a reply to sync does not say whether it is complete".to_owned()),
            }
            self.hear_of(&room, &newer["last_seq"]);
        }
    }

    fn history(&mut self, reply: &Value, bytes: usize, asked: Option<What>) {
        let Some(room) = self.own_room(&reply["room_id"], "reply") else { return };
        let views = reply["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        if bytes > PAGE && views.len() > 1 {
            self.account.oversized.push(("getChatHistory".to_owned(), bytes));
        }
        let more = reply["has_more"] == true;
        match asked {
            Some(What::Page { room: _, backwards, limit, .. }) => {
                let page: Vec<Entry> = views.iter().filter_map(Entry::read).collect();
                let pages = self.account.pages.entry(room.clone()).or_default();
                if backwards {
                    pages.backwards.splice(0..0, page);
                } else {
                    pages.forwards.extend(page);
                }
                match reply.get("next") {
                    Some(next) if more => self.want(What::Page { room, backwards, next: next.clone(), limit }),
                    None if more => self.account.malformed.push("a page with more behind it names no next".to_owned()),
                    _ => {}
                }
            }
            // Perhaps the answer to an attempt that another one has answered before: entries are entries.
            asked => {
                for view in views {
                    self.entry(&room, view, Way::Asked);
                }
                if more && asked.is_some() {
                    self.ask_for(room);
                }
            }
        }
    }

    fn listed(&mut self, reply: &Value, asked: Option<What>) {
        if asked.is_none() {
            return;
        }
        let mut before = u64::MAX;
        for room in reply["rooms"].as_array().into_iter().flatten() {
            let updated_at = room["updated_at"].as_u64().unwrap_or_default();
            if updated_at > before {
                self.account.disordered.push(room["room_id"].as_str().unwrap_or_default().to_owned());
            }
            before = updated_at;
            let listed = || {
                Some(Listed {
                    room: room["room_id"].as_str()?.to_owned(),
                    last_seq: room["last_seq"].as_u64()?,
                    last_text: match &room["last_message"] {
                        Value::Null => 0,
                        text => text["seq"].as_u64()?,
                    },
                    last_read_seq: room["last_read_seq"].as_u64()?,
                    unread: room["unread_count"].as_u64()?,
                })
            };
            match listed() {
                Some(listed) => self.account.list.push(listed),
                None => self.account.malformed.push(format!("the listed room {} cannot be read", room["room_id"])),
            }
        }
        if let Some(cursor) = reply.get("next_cursor") {
            self.want(What::List { cursor: Some(cursor.clone()) });
        }
    }

    fn error(&mut self, error: &Value) -> Result<(), Reconnect> {
        let (action, code) = (&error["action"], error["code"].as_str().unwrap_or_default());
        let errand = error["request_id"].as_str().and_then(|id| id.split_once('.')?.0.parse().ok());
        match code {
            "rate_limited" | "internal" => {
                self.account.counts.failures += 1;
                let wait = error["retry_after_ms"].as_u64().map(Duration::from_millis);
                if let Some(errand) = errand.and_then(|errand: u64| self.errands.get_mut(&errand)) {
                    let least = wait.unwrap_or(Duration::from_millis(20));
                    errand.due = Instant::now() + least + least.mul_f64(self.rng.random());
                }
                Ok(())
            }
            // The token has ended; the next connection has a fresh one.
            "session_expired" => Err(Reconnect),
            _ => {
                let answered = self.answered(error);
                if matches!(answered, Some(What::Pry { .. })) && code == "not_found" {
                    return Ok(());
                }
                if answered.is_some() {
                    let action = action.as_str().unwrap_or_default().to_owned();
                    self.account.refused.push((action, code.to_owned()));
                } else if errand.is_none() {
                    self.account.malformed.push(json!({"code": code, "request_id": error["request_id"]}).to_string());
                }
                Ok(())
            }
        }
    }
}
