//! DynamoDB: the template's tables in dynoxide, an embedded emulator on SQLite, plus what dynoxide lacks.
//!
//! - All work on SQLite runs on blocking threads, one call at a time (dynoxide itself has a single lock).
//! - Stream records are found through an index and trimmed once every reader has read them; see [`stream_records`].
//! - `ClientRequestToken`, which the SDKs put into every `TransactWriteItems`, is implemented here; see [`tokens`].
//! - ARNs contain the template's region and account instead of the emulator's; see [`arns`].
//! - Nothing is throttled, and transactions never conflict, because they run one after the other. Both exist as
//!   [`crate::faults`].

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

/// The template's tables. Clones share the database.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    engine: dynoxide::Database,
    records: Mutex<StreamRecords>,
    tokens: Mutex<Tokens>,
    /// Held by every call, so that the second connection never meets the engine's write lock.
    exclusive: Mutex<()>,
    arns: Arns,
    /// Physical name → table.
    tables: BTreeMap<String, Table>,
    written: watch::Sender<u64>,
    /// Last, so that the files are removed after the connections are closed.
    _folder: Folder,
}

/// The response to a call, and what the call consumed.
#[derive(Debug)]
pub struct Response {
    /// The response body.
    pub body: Value,
    /// The consumed capacity units, even if the caller did not request them.
    pub units: Units,
}

impl Database {
    /// Opens the database in a permanent or a temporary folder, and creates the template's tables if they are missing.
    ///
    /// # Errors
    ///
    /// If the files cannot be written, or contain a table that differs from the template's.
    pub async fn open(template: &Template, data: Option<&Path>) -> Result<Database, DatabaseError> {
        let template = template.clone();
        let data = data.map(Path::to_path_buf);
        blocking(move || Database::open_now(&template, data)).await
    }

    fn open_now(template: &Template, data: Option<PathBuf>) -> Result<Database, DatabaseError> {
        let folder = Folder::open(data)?;
        let file = folder.file();
        let path = file.to_str().ok_or_else(|| DatabaseError::NotUnicode(file.clone()))?;
        let unusable = |problem: String| DatabaseError::Unusable(file.clone(), problem);
        let engine = dynoxide::Database::new(path).map_err(|error| unusable(error.to_string()))?;
        // No commit waits for the disk: SQLite survives a crash of the gateway, and a temporary database need not
        // survive a crash of the machine.
        let mode =
            if folder.temporary.is_some() { engine.enable_bulk_loading() } else { engine.disable_bulk_loading() };
        mode.map_err(|error| unusable(error.to_string()))?;
        tables::create(&engine, template, &file)?;
        let arns = Arns::of(template, &engine).map_err(|error| unusable(error.to_string()))?;
        let records = StreamRecords::open(&file).map_err(|error| unusable(error.to_string()))?;
        Ok(Database(Arc::new(Inner {
            engine,
            records: Mutex::new(records),
            tokens: Mutex::default(),
            exclusive: Mutex::default(),
            arns,
            tables: template.tables.values().map(|table| (table.name.clone(), table.clone())).collect(),
            written: watch::Sender::new(0),
            _folder: folder,
        })))
    }

    /// Performs an operation.
    ///
    /// # Errors
    ///
    /// The errors of DynamoDB; `UnknownOperationException` for anything but [`SUPPORTED`].
    pub async fn call(&self, operation: &str, request: Value) -> Result<Response, ApiError> {
        let database = self.clone();
        let operation = operation.to_owned();
        blocking(move || database.call_now(&operation, request)).await
    }

    fn call_now(&self, operation: &str, mut request: Value) -> Result<Response, ApiError> {
        let inner = &*self.0;
        inner.arns.incoming(&mut request);
        let requested = capacity::request(operation, &mut request);
        let mut body = {
            let _exclusive = lock(&inner.exclusive);
            match operation {
                "TransactWriteItems" => lock(&inner.tokens).once(&inner.engine, request)?,
                _ => operations::perform(&inner.engine, operation, request)?,
            }
        };
        if operations::writes(operation) {
            self.0.written.send_modify(|count| *count += 1);
        }
        inner.arns.outgoing(operation, &mut body);
        let units = capacity::measure(operation, &mut body, requested);
        Ok(Response { body, units })
    }

    /// Changes whenever something may have been written.
    pub fn writes(&self) -> watch::Receiver<u64> {
        self.0.written.subscribe()
    }

    /// The logical id of a table, from its name or ARN; the name itself if the template has no such table.
    pub fn logical_id<'n>(&'n self, name: &'n str) -> &'n str {
        let name = arns::table_name(name);
        self.0.tables.get(name).map_or(name, |table| table.logical_id.as_str())
    }

    /// Deletes expired items, as DynamoDB does within days, and returns their number. Their stream records have the
    /// `userIdentity` of the service.
    ///
    /// # Errors
    ///
    /// If SQLite fails.
    pub async fn sweep_expired(&self) -> Result<usize, ApiError> {
        let database = self.clone();
        blocking(move || {
            let deleted = {
                let _exclusive = lock(&database.0.exclusive);
                database.0.engine.sweep_ttl().map_err(|error| ApiError::of(&error))?
            };
            if deleted > 0 {
                database.0.written.send_modify(|count| *count += 1);
            }
            Ok(deleted)
        })
        .await
    }

    /// The records of a table's stream after a position, oldest first; with `None`, from the start.
    pub(crate) async fn records(
        &self,
        table: &str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StreamRecord>, ApiError> {
        let database = self.clone();
        let table = table.to_owned();
        blocking(move || lock(&database.0.records).read(&table, after, limit).map_err(ApiError::from)).await
    }

    /// The number of the last record of a table's stream; `None` if there was none yet.
    pub(crate) async fn last_record(&self, table: &str) -> Result<Option<i64>, ApiError> {
        let database = self.clone();
        let table = table.to_owned();
        blocking(move || lock(&database.0.records).last(&table).map_err(ApiError::from)).await
    }

    /// The position of a stream reader, as stored by [`Database::advance`].
    pub(crate) async fn position(&self, reader: &str) -> Result<Option<i64>, ApiError> {
        let database = self.clone();
        let reader = reader.to_owned();
        blocking(move || lock(&database.0.records).position(&reader).map_err(ApiError::from)).await
    }

    /// Stores the position of a reader, and trims the records that all readers of the table have read.
    pub(crate) async fn advance(
        &self,
        reader: &str,
        position: i64,
        table: &str,
        readers: &[String],
    ) -> Result<(), ApiError> {
        let database = self.clone();
        let reader = reader.to_owned();
        let table = table.to_owned();
        let readers = readers.to_vec();
        blocking(move || {
            let _exclusive = lock(&database.0.exclusive);
            lock(&database.0.records).advance(&reader, position, &table, &readers).map_err(ApiError::from)
        })
        .await
    }

    /// `DescribeTable` by logical id, for tests and tools; `None` if the template has no such table.
    pub async fn describe(&self, logical_id: &str) -> Option<Value> {
        let table = self.0.tables.values().find(|table| table.logical_id == logical_id)?;
        let response = self.call("DescribeTable", json!({ "TableName": table.name })).await;
        response.ok().map(|response| response.body)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            // Panics continue in the caller.
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, so no caller is left to get a result.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
