//! Failure destinations: records that a reader gives up on are written to a file, as Lambda would write them to a
//! bucket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use uuid::Uuid;

use super::event::{Record, batch, sequence_number};
use crate::timestamps::rfc3339;
use sam_template::{DestinationKind, FailureDestination};

/// Why a reader gave up on records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// They were retried `MaximumRetryAttempts` times.
    RetryAttemptsExhausted,
    /// They are older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
}

/// Records that a reader gave up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The logical id of the function that failed on them.
    pub function: String,
    /// The `SequenceNumber`s of the records.
    pub records: Vec<String>,
    /// Why the reader gave up.
    pub condition: Condition,
    /// How often the function was invoked with them.
    pub invocations: u32,
    /// The file in place of the object in the failure destination; `None` without a destination: the records are lost.
    pub file: Option<PathBuf>,
}

/// All failure destinations of a stack. Clones share them.
#[derive(Clone)]
pub(super) struct Destinations(Arc<Mutex<State>>);

struct State {
    folder: Folder,
    given_up: Vec<GivenUp>,
}

enum Folder {
    Kept(PathBuf),
    /// Created for the first failure, and removed with the gateway.
    Temporary(Option<tempfile::TempDir>),
}

/// What is the same for all failures of one reader.
pub(super) struct FailureContext {
    /// The logical id.
    pub(super) function: String,
    pub(super) function_arn: String,
    /// The id of the event source mapping.
    pub(super) mapping: Uuid,
    pub(super) shard: String,
    pub(super) stream_arn: String,
    pub(super) destination: Option<FailureDestination>,
}

impl Destinations {
    /// Writes below `folder`, or into a temporary folder.
    pub(super) fn in_folder(folder: Option<PathBuf>) -> Destinations {
        let folder = folder.map_or(Folder::Temporary(None), Folder::Kept);
        Destinations(Arc::new(Mutex::new(State { folder, given_up: Vec::new() })))
    }

    /// Everything that was given up on, oldest first.
    pub(super) fn given_up(&self) -> Vec<GivenUp> {
        self.state().given_up.clone()
    }

    /// Writes the records to the destination of the template and logs one line without their content.
    pub(super) fn give_up(&self, context: &FailureContext, condition: Condition, invocations: u32, records: &[Record]) {
        let mut state = self.state();
        let file = context.destination.as_ref().and_then(|destination| {
            let object = object(context, destination, condition, invocations, records);
            match state.folder.path().and_then(|folder| write(&folder, context, destination, &object)) {
                Ok(file) => Some(file),
                Err(error) => {
                    tracing::error!("failed to write the stream records that {} failed on: {error}", context.function);
                    None
                }
            }
        });
        let count = records.len();
        let why = match condition {
            Condition::RetryAttemptsExhausted => format!("{invocations} attempts failed"),
            Condition::RecordAgeExceeded => "they are too old".to_owned(),
        };
        let kept = match &file {
            Some(file) => format!("they are kept in {}", file.display()),
            None => "they are lost".to_owned(),
        };
        tracing::error!("{} gave up on {count} stream records: {why}; {kept}", context.function);
        state.given_up.push(GivenUp {
            function: context.function.clone(),
            records: records.iter().map(|record| sequence_number(record.number)).collect(),
            condition,
            invocations,
            file,
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Folder {
    fn path(&mut self) -> std::io::Result<PathBuf> {
        match self {
            Folder::Kept(folder) => Ok(folder.clone()),
            Folder::Temporary(Some(folder)) => Ok(folder.path().to_owned()),
            Folder::Temporary(none) => {
                let folder = tempfile::Builder::new().prefix("local-gateway-failed-").tempdir()?;
                Ok(none.insert(folder).path().to_owned())
            }
        }
    }
}

/// The invocation record; only a bucket gets the records themselves.
fn object(
    context: &FailureContext,
    destination: &FailureDestination,
    condition: Condition,
    invocations: u32,
    records: &[Record],
) -> Value {
    let arrival = |record: Option<&Record>| {
        let seconds = record.and_then(|record| u64::try_from(record.created_at).ok()).unwrap_or_default();
        rfc3339(UNIX_EPOCH + Duration::from_secs(seconds))
    };
    let number = |record: Option<&Record>| record.map(|record| sequence_number(record.number));
    let mut object = json!({
        "requestContext": {
            "requestId": Uuid::new_v4().to_string(),
            "functionArn": format!("{}:$LATEST", context.function_arn),
            "condition": format!("{condition:?}"),
            "approximateInvokeCount": invocations,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "version": "1.0",
        "timestamp": rfc3339(SystemTime::now()),
        "DDBStreamBatchInfo": {
            "shardId": context.shard,
            "startSequenceNumber": number(records.first()),
            "endSequenceNumber": number(records.last()),
            "approximateArrivalOfFirstRecord": arrival(records.first()),
            "approximateArrivalOfLastRecord": arrival(records.last()),
            "batchSize": records.len(),
            "streamArn": context.stream_arn,
        },
    });
    if destination.kind == DestinationKind::Bucket {
        object["payload"] = String::from_utf8_lossy(&batch(records)).into();
    }
    object
}

/// Writes the object under the key that Lambda gives it: `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/<time>-<random>`.
fn write(
    folder: &Path,
    context: &FailureContext,
    destination: &FailureDestination,
    object: &Value,
) -> std::io::Result<PathBuf> {
    let now = rfc3339(SystemTime::now());
    let (date, time) = now.split_once('T').unwrap_or((&now, ""));
    let time = time.split('.').next().unwrap_or_default().replace(':', ".");
    let mut file = folder.join(&destination.name).join("aws").join("lambda");
    file.push(context.mapping.to_string());
    file.push(&context.shard);
    file.extend(date.split('-'));
    std::fs::create_dir_all(&file)?;
    file.push(format!("{date}T{time}-{}", Uuid::new_v4()));
    std::fs::write(&file, serde_json::to_vec_pretty(object)?)?;
    Ok(file)
}
