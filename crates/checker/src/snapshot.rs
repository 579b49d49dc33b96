//! What the tables hold once everything is quiet, read past every function and every fault.

use std::collections::BTreeMap;

use local_gateway::Gateway;
use serde_json::Value;
use testkit::rows::{self, TableError};

use crate::entry::Entry;

/// The tables that are judged, by room.
#[derive(Debug, Clone, Default)]
pub struct DatabaseSnapshot {
    /// Each room's log, ascending.
    pub logs: BTreeMap<String, Vec<LogRow>>,
    pub heads: BTreeMap<String, Head>,
    /// Each room's members, by participant.
    pub members: BTreeMap<String, BTreeMap<String, Member>>,
    pub statuses: BTreeMap<String, String>,
    /// The `<hospital>#<status>` under which each consult is listed.
    pub list_keys: BTreeMap<String, String>,
    pub idempotency_records: Vec<IdempotencyRecord>,
    /// Descriptions of rows that cannot be read.
    pub unreadable: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    pub entry: Entry,
    /// The number of texts in the log up to this entry.
    pub text_count: u64,
    pub status_change: Option<StatusChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    pub from: String,
    pub to: String,
}

/// What is derived from a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub last_seq: u64,
    /// The number of texts.
    pub text_count: u64,
    /// The `seq` of the last text, or 0.
    pub last_text: u64,
    /// When the last entry was appended.
    pub updated_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub last_read_seq: u64,
    /// The texts up to `last_read_seq`, and the member's own after it.
    pub read_text_count: u64,
}

/// A row of the sends table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    pub room: String,
    /// `<participant>#<message_id>`.
    pub key: String,
    pub seq: u64,
}

impl DatabaseSnapshot {
    /// Reads the tables.
    ///
    /// # Errors
    ///
    /// When the template lacks one of them, or the database fails.
    pub async fn read(gateway: &Gateway) -> Result<Self, TableError> {
        let mut snapshot = Self::default();
        for row in rows::read(gateway, "MessagesTable").await? {
            snapshot.add_log_row(&row);
        }
        for log in snapshot.logs.values_mut() {
            log.sort_by_key(|row| row.entry.seq);
        }
        for row in rows::read(gateway, "RoomsTable").await? {
            snapshot.add_room(&row);
        }
        for row in rows::read(gateway, "MembersTable").await? {
            snapshot.add_member(&row);
        }
        for row in rows::read(gateway, "SendsTable").await? {
            snapshot.add_idempotency_record(&row);
        }
        Ok(snapshot)
    }

    /// The number of entries in all logs together.
    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.logs.values().map(Vec::len).sum()
    }

    /// A room's log; empty if there is none.
    #[must_use]
    pub fn log(&self, room: &str) -> &[LogRow] {
        self.logs.get(room).map(Vec::as_slice).unwrap_or_default()
    }

    #[must_use]
    pub fn member(&self, room: &str, participant: &str) -> Option<&Member> {
        self.members.get(room)?.get(participant)
    }

    fn add_log_row(&mut self, row: &Value) {
        let read = || {
            let status = |field: &str| row["event"][field].as_str().map(str::to_owned);
            let status_change = status("from").zip(status("to")).map(|(from, to)| StatusChange { from, to });
            let entry = Entry::read(row)?;
            Some((room_of(row)?, LogRow { entry, text_count: row["text_count"].as_u64()?, status_change }))
        };
        match read() {
            Some((room, row)) => self.logs.entry(room).or_default().push(row),
            None => self.unreadable.push(format!("an entry of {}", row["room_id"])),
        }
    }

    fn add_room(&mut self, row: &Value) {
        let read = || {
            let head = Head {
                last_seq: row["last_seq"].as_u64()?,
                text_count: row["text_count"].as_u64()?,
                last_text: match &row["last_message"] {
                    Value::Null => 0,
                    text => text["seq"].as_u64()?,
                },
                updated_at: row["updated_at"].as_u64()?,
            };
            Some((room_of(row)?, head))
        };
        match read() {
            Some((room, head)) => {
                self.statuses.insert(room.clone(), row["status"].as_str().unwrap_or_default().to_owned());
                self.heads.insert(room, head);
            }
            None => self.unreadable.push(format!("the room {}", row["room_id"])),
        }
    }

    fn add_member(&mut self, row: &Value) {
        let read = || {
            let member = Member {
                last_read_seq: row["last_read_seq"].as_u64()?,
                read_text_count: row["read_text_count"].as_u64()?,
            };
            Some((room_of(row)?, row["participant"].as_str()?.to_owned(), member))
        };
        match read() {
            Some((room, participant, member)) => {
                if let Some(list_key) = row["list_key"].as_str() {
                    self.list_keys.insert(room.clone(), list_key.to_owned());
                }
                self.members.entry(room).or_default().insert(participant, member);
            }
            None => self.unreadable.push(format!("a member of {}", row["room_id"])),
        }
    }

    fn add_idempotency_record(&mut self, row: &Value) {
        let read = || {
            let key = row["send_key"].as_str()?.to_owned();
            Some(IdempotencyRecord { room: room_of(row)?, key, seq: row["seq"].as_u64()? })
        };
        match read() {
            Some(record) => self.idempotency_records.push(record),
            None => self.unreadable.push(format!("an idempotency record of {}", row["room_id"])),
        }
    }
}

fn room_of(row: &Value) -> Option<String> {
    Some(row["room_id"].as_str()?.to_owned())
}
