//! What the tables hold once all is quiet, read past every function and past every fault.

use std::collections::BTreeMap;

use local_gateway::Gateway;
use serde_json::Value;
use testkit::rows::{self, TableError};

use crate::entry::Entry;

/// The tables that are judged, by room.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The log of each room, ascending.
    pub logs: BTreeMap<String, Vec<Logged>>,
    /// The head of each room.
    pub heads: BTreeMap<String, Head>,
    /// The seats of each room, by participant.
    pub seats: BTreeMap<String, BTreeMap<String, Seat>>,
    /// The status of each room.
    pub statuses: BTreeMap<String, String>,
    /// Under which `<hospital>#<status>` each consult is filed.
    pub filed: BTreeMap<String, String>,
    /// The rows of the sends table: the room, `<participant>#<message_id>`, and the number it was given.
    pub sends: Vec<(String, String, u64)>,
    /// Rows that cannot be read, by what is wrong.
    pub unreadable: Vec<String>,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The entry.
    pub entry: Entry,
    /// How many texts the log has up to here.
    pub text_count: u64,
    /// From which status to which it moved the room, if it did.
    pub moved: Option<(String, String)>,
}

/// What is derived from a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry.
    pub last_seq: u64,
    /// How many texts there are.
    pub text_count: u64,
    /// The number of the last text, 0 where there is none.
    pub last_text: u64,
    /// When the last entry was appended.
    pub updated_at: u64,
}

/// How far a member has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The number of the last entry that it has read.
    pub last_read_seq: u64,
    /// The log's `text_count` there.
    pub read_text_count: u64,
}

impl Evidence {
    /// Reads the tables.
    ///
    /// # Errors
    ///
    /// Where the template lacks one of them, or the database fails.
    pub async fn read(gateway: &Gateway) -> Result<Self, TableError> {
        let mut evidence = Self::default();
        for row in rows::read(gateway, "MessagesTable").await? {
            evidence.entry(&row);
        }
        for log in evidence.logs.values_mut() {
            log.sort_by_key(|logged| logged.entry.seq);
        }
        for row in rows::read(gateway, "RoomsTable").await? {
            evidence.head(&row);
        }
        for row in rows::read(gateway, "MembersTable").await? {
            evidence.seat(&row);
        }
        for row in rows::read(gateway, "SendsTable").await? {
            evidence.send(&row);
        }
        Ok(evidence)
    }

    /// How many entries all logs have together.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.logs.values().map(Vec::len).sum()
    }

    fn entry(&mut self, row: &Value) {
        let read = Entry::read(row).zip(row["text_count"].as_u64()).zip(room_of(row));
        match read {
            Some(((entry, text_count), room)) => {
                let status = |end: &str| row["event"][end].as_str().map(str::to_owned);
                let moved = status("from").zip(status("to"));
                self.logs.entry(room).or_default().push(Logged { entry, text_count, moved });
            }
            None => self.unreadable.push(format!("an entry of {}", row["room_id"])),
        }
    }

    fn head(&mut self, row: &Value) {
        let head = || {
            Some(Head {
                last_seq: row["last_seq"].as_u64()?,
                text_count: row["text_count"].as_u64()?,
                last_text: match &row["last_message"] {
                    Value::Null => 0,
                    text => text["seq"].as_u64()?,
                },
                updated_at: row["updated_at"].as_u64()?,
            })
        };
        match room_of(row).zip(head()) {
            Some((room, head)) => {
                self.statuses.insert(room.clone(), row["status"].as_str().unwrap_or_default().to_owned());
                self.heads.insert(room, head);
            }
            None => self.unreadable.push(format!("the room {}", row["room_id"])),
        }
    }

    fn seat(&mut self, row: &Value) {
        let seat = || {
            let (last_read_seq, read_text_count) = (row["last_read_seq"].as_u64()?, row["read_text_count"].as_u64()?);
            Some((row["participant"].as_str()?.to_owned(), Seat { last_read_seq, read_text_count }))
        };
        match room_of(row).zip(seat()) {
            Some((room, (participant, seat))) => {
                if let Some(filed) = row["list_key"].as_str() {
                    self.filed.insert(room.clone(), filed.to_owned());
                }
                self.seats.entry(room).or_default().insert(participant, seat);
            }
            None => self.unreadable.push(format!("a seat in {}", row["room_id"])),
        }
    }

    fn send(&mut self, row: &Value) {
        let send = || Some((room_of(row)?, row["send_key"].as_str()?.to_owned(), row["seq"].as_u64()?));
        match send() {
            Some(send) => self.sends.push(send),
            None => self.unreadable.push(format!("a send in {}", row["room_id"])),
        }
    }
}

fn room_of(row: &Value) -> Option<String> {
    Some(row["room_id"].as_str()?.to_owned())
}
