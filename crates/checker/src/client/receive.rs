//! Incoming frames: events, and the entries that events and replies carry.

use std::time::Instant;

use rand::RngExt;
use serde_json::Value;

use super::{Client, Phase, Reconnect};
use crate::entry::Entry;
use crate::operation::Operation;
use crate::room_view::Received;

/// The largest frame that API Gateway delivers.
const MAX_FRAME: usize = 128 * 1024;

/// How an entry arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Event,
    /// A reply to `sync` or `getChatHistory`.
    Read,
    /// The reply to the client's own message.
    Acknowledgement,
}

impl Client {
    /// Handles a frame.
    pub(super) fn receive(&mut self, text: &str) -> Result<(), Reconnect> {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            self.history.malformed.push("it is not JSON".to_owned());
            return Ok(());
        };
        let kind = frame["type"].as_str().unwrap_or_default();
        if text.len() > MAX_FRAME {
            self.history.oversized.push((kind.to_owned(), text.len()));
        }
        match kind {
            "reply" => self.receive_reply(&frame, text.len()),
            "error" => return self.receive_error(&frame),
            "message" => {
                if let Some(room) = self.own_room(&frame["room_id"], kind) {
                    self.receive_message(&room, &frame, Source::Event);
                }
            }
            "room" => {
                if let Some(room) = self.own_room(&frame["room"]["room_id"], kind) {
                    self.learn_of(&room, &frame["room"]["last_seq"]);
                }
            }
            "translation" | "read" => {
                self.own_room(&frame["room_id"], kind);
            }
            // An error frame of API Gateway's own. The outcome is unknown, so the request is retried when it is due.
            "" if frame["message"].is_string() && frame["connectionId"].is_string() => {
                self.history.counts.retryable_errors += 1;
            }
            _ => self.history.malformed.push(format!("its type is {}", frame["type"])),
        }
        Ok(())
    }

    /// The room of a frame, if it is one of the client's own.
    pub(super) fn own_room(&mut self, room: &Value, kind: &str) -> Option<String> {
        let room = room.as_str().unwrap_or_default();
        if self.views.contains_key(room) {
            return Some(room.to_owned());
        }
        self.history.foreign_frames.push((room.to_owned(), kind.to_owned()));
        None
    }

    pub(super) fn learn_of(&mut self, room: &str, seq: &Value) {
        if let Some(view) = self.views.get_mut(room)
            && let Some(seq) = seq.as_u64()
        {
            view.learn_of(seq, Instant::now());
        }
    }

    pub(super) fn receive_message(&mut self, room: &str, message: &Value, source: Source) {
        match Entry::read(message) {
            Some(entry) => self.receive_entry(room, entry, source),
            None => self.history.malformed.push(format!("message {} of {room} cannot be read", message["seq"])),
        }
    }

    pub(super) fn receive_entry(&mut self, room: &str, entry: Entry, source: Source) {
        let Some(view) = self.views.get_mut(room) else { return };
        let counts = &mut self.history.counts;
        counts.pushed += u64::from(source == Source::Event);
        if source != Source::Read {
            self.history.delivered.entry(room.to_owned()).or_default().insert(entry.seq);
        }
        match view.receive(entry.clone(), Instant::now()) {
            Received::New => counts.repaired += u64::from(source == Source::Read),
            Received::Duplicate => {
                counts.duplicate_entries += 1;
                counts.duplicate_pushes += u64::from(source == Source::Event);
            }
            Received::Conflict { first } => self.history.conflicts.push((room.to_owned(), first, entry)),
        }
        self.mark_read_sometimes(room);
    }

    fn mark_read_sometimes(&mut self, room: &str) {
        // Once everything is quiet, nothing may change what is compared.
        if self.phase > Phase::Sending {
            return;
        }
        let seq = self.last_displayed(room);
        let marks_room =
            |operation: &Operation| matches!(operation, Operation::MarkRead { room: marked, .. } if marked == room);
        if seq > 0 && self.rng.random_bool(0.02) && !self.is_pending(marks_room) {
            self.start(Operation::MarkRead { room: room.to_owned(), seq });
        }
    }
}
