//! DynamoDB: the template's tables in dynoxide, an embedded emulator on SQLite, with what it lacks for our purpose.
//!
//! - All work on SQLite happens on blocking threads, one call at a time (dynoxide has one lock for all itself).
//! - Stream records are trimmed once every reader has had them, and found through an index: see [`stream_records`].
//! - `ClientRequestToken`, which the SDKs put into every `TransactWriteItems`, is remembered here: see [`tokens`].
//! - ARNs say the template's region and account, not the emulator's: see [`arns`].
//! - Nothing is throttled, and a transaction never conflicts with another, since they run one after the other: both are
//!   faults, which [`crate::faults`] puts in front.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

mod arns;
mod capacity;
mod error;
mod folder;
mod operations;
mod stream_records;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;

pub use error::{ApiError, DatabaseError};
pub use operations::{SUPPORTED, tables_of};
pub use stream_records::StreamRecord;

use crate::ledger::Units;
use arns::Arns;
use folder::Folder;
use sam_template::{Table, Template};
use stream_records::StreamRecords;
use tokens::Tokens;

/// The template's tables. Clones are the same database.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    engine: dynoxide::Database,
    records: Mutex<StreamRecords>,
    tokens: Mutex<Tokens>,
    /// Held by every call, so that the second connection never meets the engine's write lock.
    turn: Mutex<()>,
    arns: Arns,
    /// Physical name → table.
    tables: BTreeMap<String, Table>,
    written: watch::Sender<u64>,
    /// Last, so that the files go after the connections to them.
    _folder: Folder,
}

/// A call's answer and what it consumed.
#[derive(Debug)]
pub struct Answer {
    /// The body of the answer.
    pub body: Value,
    /// The capacity units that DynamoDB reports for the call, whether the caller asked for them or not.
    pub units: Units,
}

impl Database {
    /// Opens the database in a folder that outlives it, or in a temporary one, and makes the template's tables in it
    /// where they are missing.
    ///
    /// # Errors
    ///
    /// Where the files cannot be written, or hold a table with other keys than the template's.
    pub async fn open(template: &Template, data: Option<&Path>) -> Result<Database, DatabaseError> {
        let (template, data) = (template.clone(), data.map(Path::to_path_buf));
        blocking(move || Database::open_now(&template, data)).await
    }

    fn open_now(template: &Template, data: Option<PathBuf>) -> Result<Database, DatabaseError> {
        let folder = Folder::open(data)?;
        let file = folder.file();
        let path = file.to_str().ok_or_else(|| DatabaseError::NotUnicode(file.clone()))?;
        let unusable = |problem: String| DatabaseError::Unusable(file.clone(), problem);
        let engine = dynoxide::Database::new(path).map_err(|error| unusable(error.to_string()))?;
        // Without waiting for the disk at every commit: SQLite stays intact when the gateway dies, and what is
        // temporary need not even survive the machine.
        let speed =
            if folder.temporary.is_some() { engine.enable_bulk_loading() } else { engine.disable_bulk_loading() };
        speed.map_err(|error| unusable(error.to_string()))?;
        tables::create(&engine, template, &file)?;
        let arns = Arns::of(template, &engine).map_err(|error| unusable(error.to_string()))?;
        let records = StreamRecords::open(&file).map_err(|error| unusable(error.to_string()))?;
        Ok(Database(Arc::new(Inner {
            engine,
            records: Mutex::new(records),
            tokens: Mutex::default(),
            turn: Mutex::default(),
            arns,
            tables: template.tables.values().map(|table| (table.name.clone(), table.clone())).collect(),
            written: watch::Sender::new(0),
            _folder: folder,
        })))
    }

    /// Performs an operation as its caller wrote it. The units are measured even where the caller did not ask for them.
    ///
    /// # Errors
    ///
    /// What DynamoDB would answer; `UnknownOperationException` for anything but [`SUPPORTED`].
    pub async fn call(&self, operation: &str, request: Value) -> Result<Answer, ApiError> {
        let (database, operation) = (self.clone(), operation.to_owned());
        blocking(move || database.call_now(&operation, request)).await
    }

    fn call_now(&self, operation: &str, mut request: Value) -> Result<Answer, ApiError> {
        let inner = &*self.0;
        inner.arns.incoming(&mut request);
        let asked = capacity::ask(operation, &mut request);
        let mut body = {
            let _turn = held(&inner.turn);
            match operation {
                "TransactWriteItems" => held(&inner.tokens).once(&inner.engine, request)?,
                _ => operations::perform(&inner.engine, operation, request)?,
            }
        };
        if operations::writes(operation) {
            self.0.written.send_modify(|count| *count += 1);
        }
        inner.arns.outgoing(operation, &mut body);
        let units = capacity::measure(operation, &mut body, asked);
        Ok(Answer { body, units })
    }

    /// Changes whenever something may have been written: what streams readers wait for.
    pub fn writes(&self) -> watch::Receiver<u64> {
        self.0.written.subscribe()
    }

    /// The logical id of a table, from its name or ARN; the name itself where the template has no such table.
    pub fn logical_id<'n>(&'n self, name: &'n str) -> &'n str {
        let name = arns::table_name(name);
        self.0.tables.get(name).map_or(name, |table| table.logical_id.as_str())
    }

    /// Deletes what has expired, as DynamoDB does within days, and says how many items that were. Their stream records
    /// carry the `userIdentity` of the service.
    ///
    /// # Errors
    ///
    /// Where SQLite fails.
    pub async fn sweep_expired(&self) -> Result<usize, ApiError> {
        let database = self.clone();
        blocking(move || {
            let deleted = {
                let _turn = held(&database.0.turn);
                database.0.engine.sweep_ttl().map_err(|error| ApiError::of(&error))?
            };
            if deleted > 0 {
                database.0.written.send_modify(|count| *count += 1);
            }
            Ok(deleted)
        })
        .await
    }

    /// The records of a table's stream after one, oldest first; all of them with `None`.
    pub(crate) async fn records(
        &self,
        table: &str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StreamRecord>, ApiError> {
        let (database, table) = (self.clone(), table.to_owned());
        blocking(move || held(&database.0.records).read(&table, after, limit).map_err(ApiError::from)).await
    }

    /// The number of the last record of a table's stream; `None` if there never was one.
    pub(crate) async fn last_record(&self, table: &str) -> Result<Option<i64>, ApiError> {
        let (database, table) = (self.clone(), table.to_owned());
        blocking(move || held(&database.0.records).last(&table).map_err(ApiError::from)).await
    }

    /// Where a reader of a stream stands, as [`Database::advance`] kept it.
    pub(crate) async fn position(&self, reader: &str) -> Result<Option<i64>, ApiError> {
        let (database, reader) = (self.clone(), reader.to_owned());
        blocking(move || held(&database.0.records).position(&reader).map_err(ApiError::from)).await
    }

    /// Keeps where a reader stands, and trims what all the given readers of that table have had.
    pub(crate) async fn advance(
        &self,
        reader: &str,
        position: i64,
        table: &str,
        readers: &[String],
    ) -> Result<(), ApiError> {
        let (database, reader) = (self.clone(), reader.to_owned());
        let (table, readers) = (table.to_owned(), readers.to_vec());
        blocking(move || {
            let _turn = held(&database.0.turn);
            held(&database.0.records).advance(&reader, position, &table, &readers).map_err(ApiError::from)
        })
        .await
    }

    /// `DescribeTable` of a table by its logical id, for tests and tools; `None` if the template has no such table.
    pub async fn describe(&self, logical_id: &str) -> Option<Value> {
        let table = self.0.tables.values().find(|table| table.logical_id == logical_id)?;
        let answer = self.call("DescribeTable", json!({ "TableName": table.name })).await;
        answer.ok().map(|answer| answer.body)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            // A panic goes on in whoever asked.
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and nobody is there any more to hear an answer.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
