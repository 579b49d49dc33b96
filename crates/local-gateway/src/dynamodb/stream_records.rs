//! The records of the tables' streams, through a second connection to dynoxide's file.
//!
//! dynoxide never deletes a record, and every write to a table with a stream searches the highest number of all its
//! records without an index; after some thousand writes, that is most of the work. So this module adds an index, and
//! deletes records that every reader has read. The last record of a table stays, because the next number follows from
//! it.
//!
//! The positions of the readers are stored in a table of the same file.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

pub(super) struct StreamRecords(Connection);

/// One record of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamRecord {
    /// Numbers increase within a table.
    pub number: i64,
    /// `eventID`: 32 hexadecimal digits.
    pub event_id: String,
    /// `eventName`: `INSERT`, `MODIFY` or `REMOVE`.
    pub event_name: String,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// The key in DynamoDB's JSON.
    pub keys: Value,
    /// The new item, if the view type of the stream includes it.
    pub new_image: Option<Value>,
    /// The old item, if the view type of the stream includes it.
    pub old_image: Option<Value>,
    /// `userIdentity`, for deletions by TTL.
    pub user_identity: Option<Value>,
    /// The approximate size in bytes.
    pub size: usize,
}

impl StreamRecords {
    pub(super) fn open(file: &Path) -> rusqlite::Result<StreamRecords> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA synchronous = OFF;
             CREATE INDEX IF NOT EXISTS _gateway_records
                 ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
             CREATE INDEX IF NOT EXISTS _gateway_shards
                 ON _stream_records (table_name, shard_id, CAST(sequence_number AS INTEGER));
             CREATE TABLE IF NOT EXISTS _gateway_readers (reader TEXT PRIMARY KEY, position INTEGER NOT NULL);",
        )?;
        Ok(StreamRecords(connection))
    }

    pub(super) fn read(&self, table: &str, after: Option<i64>, limit: usize) -> rusqlite::Result<Vec<StreamRecord>> {
        let mut statement = self.0.prepare_cached(
            "SELECT CAST(sequence_number AS INTEGER), event_id, event_name, created_at, keys_json, new_image, old_image,
                    user_identity
             FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2
             ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![table, after.unwrap_or(-1), limit], |row| {
            let number: i64 = row.get(0)?;
            let texts: [Option<String>; 4] = [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?];
            let size = texts[..3].iter().flatten().map(String::len).sum();
            let [keys, new_image, old_image, user_identity] = texts.map(|text| text.as_deref().map(parsed));
            Ok(StreamRecord {
                number,
                event_id: row.get::<_, Option<String>>(1)?.unwrap_or_else(|| number.to_string()),
                event_name: row.get(2)?,
                created_at: row.get(3)?,
                keys: keys.unwrap_or_else(|| Value::Object(Map::new())),
                new_image,
                old_image,
                user_identity,
                size,
            })
        })?;
        rows.collect()
    }

    pub(super) fn last(&self, table: &str) -> rusqlite::Result<Option<i64>> {
        let query = "SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1";
        self.0.prepare_cached(query)?.query_row([table], |row| row.get(0))
    }

    pub(super) fn position(&self, reader: &str) -> rusqlite::Result<Option<i64>> {
        let query = "SELECT position FROM _gateway_readers WHERE reader = ?1";
        self.0.prepare_cached(query)?.query_row([reader], |row| row.get(0)).optional()
    }

    pub(super) fn advance(
        &mut self,
        reader: &str,
        position: i64,
        table: &str,
        readers: &[String],
    ) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        transaction.execute(
            "INSERT INTO _gateway_readers (reader, position) VALUES (?1, ?2)
             ON CONFLICT (reader) DO UPDATE SET position = excluded.position",
            params![reader, position],
        )?;
        let mut read_by_all = Some(position);
        for other in readers {
            let query = "SELECT position FROM _gateway_readers WHERE reader = ?1";
            let other: Option<i64> = transaction.query_row(query, [other], |row| row.get(0)).optional()?;
            read_by_all = read_by_all.zip(other).map(|(least, other)| least.min(other));
        }
        if let Some(read_by_all) = read_by_all {
            transaction.execute(
                "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2
                 AND CAST(sequence_number AS INTEGER) <
                     (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)",
                params![table, read_by_all],
            )?;
        }
        transaction.commit()
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}
