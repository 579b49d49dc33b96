//! Failure destinations: what a reader gives up is written to a file, as Lambda would write it to the bucket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use uuid::Uuid;

use super::event::{Record, batch, sequence_number};
use crate::timestamps::rfc3339;
use sam_template::{DestinationKind, FailureDestination};

/// Why a reader gave records up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// They failed more often than `MaximumRetryAttempts` allows to repeat.
    RetryAttemptsExhausted,
    /// They are older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
}

/// Records that a reader gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The logical id of the function that did not take them.
    pub function: String,
    /// The `SequenceNumber`s of the records.
    pub records: Vec<String>,
    /// Why.
    pub condition: Condition,
    /// How often the function was invoked with them.
    pub invocations: u32,
    /// The file that stands for the object in the failure destination; `None` without a destination: then they are lost.
    pub file: Option<PathBuf>,
}

/// The folder for all destinations.
#[derive(Clone)]
pub(super) struct Destinations(Arc<Mutex<Folder>>);

enum Folder {
    Kept(PathBuf),
    /// Made for the first that is given up, and removed with the gateway.
    Temporary(Option<tempfile::TempDir>),
}

/// What is known about a failure, but for the records.
pub(super) struct Failure<'a> {
    pub(super) function: &'a str,
    pub(super) function_arn: &'a str,
    pub(super) mapping: Uuid,
    pub(super) shard: &'a str,
    pub(super) stream_arn: &'a str,
    pub(super) condition: Condition,
    pub(super) invocations: u32,
    pub(super) destination: Option<&'a FailureDestination>,
}

impl Destinations {
    pub(super) fn in_folder(folder: Option<PathBuf>) -> Destinations {
        Destinations(Arc::new(Mutex::new(folder.map_or(Folder::Temporary(None), Folder::Kept))))
    }

    /// Puts records where the template says, and says so in one sentence in the log. No content goes there.
    pub(super) fn give_up(&self, failure: &Failure<'_>, records: &[Record]) -> GivenUp {
        let file = failure.destination.and_then(|destination| {
            let object = object(failure, destination, records);
            match self.folder().and_then(|folder| write(&folder, failure, destination, &object)) {
                Ok(file) => Some(file),
                Err(error) => {
                    tracing::error!("what {} failed on cannot be written: {error}", failure.function);
                    None
                }
            }
        });
        let count = records.len();
        let why = match failure.condition {
            Condition::RetryAttemptsExhausted => format!("it failed on them {} times", failure.invocations),
            Condition::RecordAgeExceeded => "they are too old".to_owned(),
        };
        match &file {
            Some(file) => tracing::error!(
                "{} gets no more of {count} stream records since {why}; they are in {}",
                failure.function,
                file.display()
            ),
            None => tracing::error!(
                "{} gets no more of {count} stream records since {why}; they are lost",
                failure.function
            ),
        }
        GivenUp {
            function: failure.function.to_owned(),
            records: records.iter().map(|record| sequence_number(record.number)).collect(),
            condition: failure.condition,
            invocations: failure.invocations,
            file,
        }
    }

    fn folder(&self) -> std::io::Result<PathBuf> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
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
fn object(failure: &Failure<'_>, destination: &FailureDestination, records: &[Record]) -> Value {
    let arrival = |record: Option<&Record>| {
        let seconds = record.and_then(|record| u64::try_from(record.created_at).ok()).unwrap_or_default();
        rfc3339(UNIX_EPOCH + Duration::from_secs(seconds))
    };
    let number = |record: Option<&Record>| record.map(|record| sequence_number(record.number));
    let mut object = json!({
        "requestContext": {
            "requestId": Uuid::new_v4().to_string(),
            "functionArn": format!("{}:$LATEST", failure.function_arn),
            "condition": format!("{:?}", failure.condition),
            "approximateInvokeCount": failure.invocations,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "version": "1.0",
        "timestamp": rfc3339(SystemTime::now()),
        "DDBStreamBatchInfo": {
            "shardId": failure.shard,
            "startSequenceNumber": number(records.first()),
            "endSequenceNumber": number(records.last()),
            "approximateArrivalOfFirstRecord": arrival(records.first()),
            "approximateArrivalOfLastRecord": arrival(records.last()),
            "batchSize": records.len(),
            "streamArn": failure.stream_arn,
        },
    });
    if destination.kind == DestinationKind::Bucket {
        object["payload"] = batch(records).to_string().into();
    }
    object
}

/// Writes the object under the key that Lambda gives it: `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/<time>-<random>`.
fn write(
    folder: &Path,
    failure: &Failure<'_>,
    destination: &FailureDestination,
    object: &Value,
) -> std::io::Result<PathBuf> {
    let now = rfc3339(SystemTime::now());
    let (date, time) = now.split_once('T').unwrap_or((&now, ""));
    let time = time.split('.').next().unwrap_or_default().replace(':', ".");
    let mut file = folder.join(&destination.name).join("aws").join("lambda");
    file.push(failure.mapping.to_string());
    file.push(failure.shard);
    file.extend(date.split('-'));
    std::fs::create_dir_all(&file)?;
    file.push(format!("{date}T{time}-{}", Uuid::new_v4()));
    std::fs::write(&file, serde_json::to_vec_pretty(object)?)?;
    Ok(file)
}
