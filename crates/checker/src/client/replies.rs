//! Replies and errors, the answers to a client's operations.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::{Value, json};

use super::receive::Source;
use super::{Client, Reconnect, now_ms};
use crate::entry::Entry;
use crate::history::{Acknowledgement, ListedRoom};
use crate::operation::Operation;

/// The largest page, unless a single message is larger.
const MAX_PAGE: usize = 32 * 1024;

/// How long a client waits after an error that does not say how long.
const RETRY_DELAY: Duration = Duration::from_millis(20);

impl Client {
    /// Removes the operation that a frame answers, and returns it if it was still pending. A `request_id` has the form
    /// `<operation>.<attempt>`: an answer to any attempt answers the operation.
    fn take_answered(&mut self, frame: &Value) -> Option<Operation> {
        let number = operation_number(frame)?;
        Some(self.pending.remove(&number)?.operation)
    }

    pub(super) fn receive_reply(&mut self, reply: &Value, bytes: usize) {
        let answered = self.take_answered(reply);
        let action = reply["action"].as_str().unwrap_or_default();
        if let Some(Operation::Unauthorized { action: requested, fields }) = &answered
            && *requested != "sync"
        {
            self.history.foreign_frames.push((fields.to_string(), format!("reply to {requested}")));
            return;
        }
        match action {
            "sendMessage" => self.acknowledged(reply),
            "createRoom" | "joinGroup" => self.joined(reply),
            "sync" => self.synced(reply, bytes),
            "getChatHistory" => self.read_history(reply, bytes, answered),
            "markRead" => self.marked_read(reply),
            "changeRoomStatus" => self.changed_status(reply),
            "getRoomList" => self.listed_rooms(reply, answered),
            action => self.history.malformed.push(format!("it is a reply to the action {action}")),
        }
    }

    fn acknowledged(&mut self, reply: &Value) {
        let read = || {
            let acknowledgement = Acknowledgement { seq: reply["seq"].as_u64()?, sent_at: reply["sent_at"].as_u64()? };
            Some((reply["message_id"].as_str()?, acknowledgement, reply["duplicate"].as_bool()?))
        };
        let Some((message_id, acknowledgement, is_duplicate)) = read() else {
            self.history.malformed.push("the reply to sendMessage cannot be read".to_owned());
            return;
        };
        let sender = self.history.participant.clone();
        let Some(sent) = self.history.sent.get_mut(message_id).filter(|sent| reply["room_id"] == *sent.room) else {
            self.history.malformed.push(format!("it acknowledges {message_id}, which was not sent to that room"));
            return;
        };
        if sent.acknowledgements.is_empty() {
            self.history.counts.acknowledged += 1;
            self.context.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        self.history.counts.duplicate_replies += u64::from(is_duplicate);
        sent.acknowledgements.push(acknowledgement);
        let room = sent.room.clone();
        // The reply is the sender's own copy of the message.
        let entry = Entry {
            seq: acknowledgement.seq,
            message_id: message_id.to_owned(),
            is_text: true,
            sender,
            digest: sent.digest,
            sent_at: acknowledgement.sent_at,
        };
        self.receive_entry(&room, entry, Source::Acknowledgement);
    }

    fn joined(&mut self, reply: &Value) {
        let Some(room) = self.own_room(&reply["room"]["room_id"], "reply") else { return };
        if reply["action"] == "joinGroup" {
            // Joining a room again does not make its subscription younger.
            self.subscribed_since.entry(room.clone()).or_insert_with(now_ms);
        }
        self.learn_of(&room, &reply["room"]["last_seq"]);
    }

    fn synced(&mut self, reply: &Value, bytes: usize) {
        let rooms = reply["rooms"].as_array().map(Vec::as_slice).unwrap_or_default();
        let message_count: usize = rooms.iter().map(|room| room["messages"].as_array().map_or(0, Vec::len)).sum();
        if bytes > MAX_PAGE && message_count > 1 {
            self.history.oversized.push(("sync".to_owned(), bytes));
        }
        for synced in rooms {
            let Some(room) = self.own_room(&synced["room_id"], "reply") else { continue };
            for message in synced["messages"].as_array().into_iter().flatten() {
                self.receive_message(&room, message, Source::Read);
            }
            let last_seq = synced["last_seq"].as_u64().unwrap_or_default();
            let reached = self.last_displayed(&room);
            match synced["complete"].as_bool() {
                Some(true) if reached < last_seq => {
                    self.history.silent_gaps.push((room.clone(), reached, last_seq));
                }
                Some(true) => {}
                Some(false) => self.read_new(room.clone()),
                None => self.history.malformed.push("the reply to sync has no complete".to_owned()),
            }
            self.learn_of(&room, &synced["last_seq"]);
        }
    }

    fn read_history(&mut self, reply: &Value, bytes: usize, answered: Option<Operation>) {
        let Some(room) = self.own_room(&reply["room_id"], "reply") else { return };
        let messages = reply["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        if bytes > MAX_PAGE && messages.len() > 1 {
            self.history.oversized.push(("getChatHistory".to_owned(), bytes));
        }
        let has_more = reply["has_more"] == true;
        if let Some(Operation::ReadPage { room: _, backward, next: _, limit }) = answered {
            let page: Vec<Entry> = messages.iter().filter_map(Entry::read).collect();
            let log = self.history.paged_logs.entry(room.clone()).or_default();
            if backward {
                log.backward.splice(0..0, page);
            } else {
                log.forward.extend(page);
            }
            match reply.get("next") {
                Some(next) if has_more => {
                    self.start(Operation::ReadPage { room, backward, next: next.clone(), limit });
                }
                None if has_more => self.history.malformed.push("a page with more after it has no next".to_owned()),
                _ => {}
            }
            return;
        }
        // If nothing was pending, another attempt has been answered already; its entries are as good as any.
        for message in messages {
            self.receive_message(&room, message, Source::Read);
        }
        if has_more && answered.is_some() {
            self.read_new(room);
        }
    }

    fn marked_read(&mut self, reply: &Value) {
        let Some(room) = self.own_room(&reply["room_id"], "reply") else { return };
        if let Some(seq) = reply["last_read_seq"].as_u64() {
            let mark = self.history.read_marks.entry(room).or_default();
            *mark = seq.max(*mark);
        }
    }

    fn changed_status(&mut self, reply: &Value) {
        let read = || {
            let room = reply["room_id"].as_str()?.to_owned();
            Some((room, reply["status"].as_str()?.to_owned(), reply["seq"].as_u64()?))
        };
        match read() {
            Some(change) => self.history.statuses.push(change),
            None => self.history.malformed.push("the reply to changeRoomStatus cannot be read".to_owned()),
        }
    }

    fn listed_rooms(&mut self, reply: &Value, answered: Option<Operation>) {
        if answered.is_none() {
            return;
        }
        let mut previous = u64::MAX;
        for room in reply["rooms"].as_array().into_iter().flatten() {
            let updated_at = room["updated_at"].as_u64().unwrap_or_default();
            if updated_at > previous {
                self.history.misordered_rooms.push(room["room_id"].as_str().unwrap_or_default().to_owned());
            }
            previous = updated_at;
            match read_listed_room(room) {
                Some(listed) => self.history.room_list.push(listed),
                None => self.history.malformed.push(format!("the listed room {} cannot be read", room["room_id"])),
            }
        }
        if let Some(cursor) = reply.get("next_cursor") {
            self.start(Operation::ListRooms { cursor: Some(cursor.clone()) });
        }
    }

    pub(super) fn receive_error(&mut self, error: &Value) -> Result<(), Reconnect> {
        let code = error["code"].as_str().unwrap_or_default();
        match code {
            "rate_limited" | "internal" => self.retry_later(error),
            // The token has expired; the next connection has a new one.
            "session_expired" => return Err(Reconnect),
            _ => match self.take_answered(error) {
                Some(Operation::Unauthorized { .. }) if code == "not_found" => {}
                Some(_) => {
                    let action = error["action"].as_str().unwrap_or_default().to_owned();
                    self.history.rejected.push((action, code.to_owned()));
                }
                // An answer to an operation that is no longer pending is fine; one without a valid `request_id` is not.
                None if operation_number(error).is_some() => {}
                None => {
                    let frame = json!({"code": code, "request_id": error["request_id"]});
                    self.history.malformed.push(frame.to_string());
                }
            },
        }
        Ok(())
    }

    fn retry_later(&mut self, error: &Value) {
        self.history.counts.retryable_errors += 1;
        let Some(pending) = operation_number(error).and_then(|number| self.pending.get_mut(&number)) else { return };
        let delay = error["retry_after_ms"].as_u64().map_or(RETRY_DELAY, Duration::from_millis);
        pending.due = Instant::now() + delay + delay.mul_f64(self.rng.random());
    }
}

/// The number of the operation that a frame answers.
fn operation_number(frame: &Value) -> Option<u64> {
    frame["request_id"].as_str()?.split_once('.')?.0.parse().ok()
}

fn read_listed_room(room: &Value) -> Option<ListedRoom> {
    Some(ListedRoom {
        room: room["room_id"].as_str()?.to_owned(),
        last_seq: room["last_seq"].as_u64()?,
        last_text: match &room["last_message"] {
            Value::Null => 0,
            text => text["seq"].as_u64()?,
        },
        last_read_seq: room["last_read_seq"].as_u64()?,
        unread: room["unread_count"].as_u64()?,
    })
}
