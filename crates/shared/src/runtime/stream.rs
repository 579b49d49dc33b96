//! Functions that read the stream of the `messages` table.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use serde::Serialize;

use super::function::{Fatal, run, start};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::metric::{self, Metric};
use protocol::chat::Entry;

/// One change of a room's log.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its place in the shard: what is reported when it could not be done.
    pub sequence_number: String,
    /// The entry as it was; `None` for a new one.
    pub before: Option<Entry>,
    /// The entry as it was right after the change.
    pub after: Entry,
}

/// "When entries are added or change, then …".
pub trait StreamReader {
    /// Reads any row, to open the connection to DynamoDB during INIT.
    fn warm_up(&self) -> impl Future<Output = ()>;

    /// Does it for a batch, in the stream's order. Gives back the sequence numbers of the changes that could not be done
    /// and must come again.
    fn read(&self, batch: Vec<Change>) -> impl Future<Output = Vec<String>>;
}

#[derive(Serialize)]
struct Answer {
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

async fn handle<S: StreamReader>(reader: &S, event: Event) -> Answer {
    let (changes, unreadable): (Vec<_>, Vec<_>) = event.records.into_iter().filter_map(change).partition(Result::is_ok);
    let mut failed = reader.read(changes.into_iter().flatten().collect()).await;
    failed.extend(unreadable.into_iter().filter_map(Result::err));
    // Lambda takes the lowest as its checkpoint. Sequence numbers are decimal numbers of differing length.
    failed.sort_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
    let lowest = failed.into_iter().next();
    Answer { failures: lowest.into_iter().map(|sequence_number| Failure { sequence_number }).collect() }
}

/// Reads a record. One that does not read as an entry is reported as failed: after bounded retries Lambda puts it aside in
/// the failure destination, where somebody can look at it. Removals concern nobody.
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
            // Why is left out: serde would quote what it could not read.
            tracing::error!(sequence_number, "a stream record is no entry of a log");
            metric::count(Metric::PoisonRecord, 1);
            Some(Err(sequence_number))
        }
    }
}
