//! Functions that read the stream of the `messages` table.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use serde::Serialize;

use super::function::{Fatal, run, start};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::metric::{self, Metric};
use protocol::chat::Entry;

/// One change of an entry.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its position in the shard, which is reported if it fails.
    pub sequence_number: String,
    /// The entry before the change; `None` if it is new.
    pub before: Option<Entry>,
    /// The entry right after the change.
    pub after: Entry,
}

/// What happens when entries are added or change.
pub trait StreamReader {
    /// Reads any row, to open the connection to DynamoDB during INIT.
    fn warm_up(&self) -> impl Future<Output = ()>;

    /// Handles a batch, in the order of the stream. Returns the sequence numbers of the changes that failed and must be
    /// retried.
    fn read(&self, batch: Vec<Change>) -> impl Future<Output = Vec<String>>;
}

#[derive(Serialize)]
struct BatchResponse {
    #[serde(rename = "batchItemFailures")]
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    sequence_number: String,
}

/// Serves a stream until Lambda ends the function.
pub async fn serve_stream<S: StreamReader>(
    function: &'static str,
    build: impl AsyncFnOnce(&Aws) -> Result<S, ConfigError>,
) -> Result<(), Fatal> {
    let aws = start(function).await?;
    let reader = &build(&aws).await?;
    aws.warm_up(reader.warm_up()).await;
    run(async move |event: Event| Ok(handle(reader, event).await)).await
}

async fn handle<S: StreamReader>(reader: &S, event: Event) -> BatchResponse {
    let (changes, unreadable): (Vec<_>, Vec<_>) = event.records.into_iter().filter_map(change).partition(Result::is_ok);
    let mut failed = reader.read(changes.into_iter().flatten().collect()).await;
    failed.extend(unreadable.into_iter().filter_map(Result::err));
    // Lambda continues from the lowest one. Sequence numbers are decimal numbers of different lengths.
    failed.sort_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
    let lowest = failed.into_iter().next();
    BatchResponse { failures: lowest.into_iter().map(|sequence_number| Failure { sequence_number }).collect() }
}

/// Reads a record; `None` for a removal, which concerns nobody. A record that is no log entry is reported as failed:
/// after its retries, Lambda sends it to the failure destination, where an operator can look at it.
fn change(record: EventRecord) -> Option<Result<Change, String>> {
    if record.event_name == "REMOVE" {
        return None;
    }
    let change = record.change;
    let sequence_number = change.sequence_number.unwrap_or_default();
    let before =
        if change.old_image.is_empty() { Ok(None) } else { serde_dynamo::from_item(change.old_image).map(Some) };
    match (before, serde_dynamo::from_item(change.new_image)) {
        (Ok(before), Ok(after)) => Some(Ok(Change { sequence_number, before, after })),
        (Err(_), _) | (_, Err(_)) => {
            // The cause is left out: serde would quote the row.
            tracing::error!(sequence_number, "failed to read a stream record as a log entry");
            metric::count(Metric::PoisonRecord, 1);
            Some(Err(sequence_number))
        }
    }
}
