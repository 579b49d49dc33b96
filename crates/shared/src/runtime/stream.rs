//! Functions that read the stream of the `messages` table.

use std::cell::RefCell;
use std::collections::BTreeSet;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use serde::{Deserialize, Serialize};

use super::function::{Fatal, run, start};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::metric::{self, Metric};
use protocol::chat::Entry;
use protocol::ids::{RoomId, Seq};

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

/// What a stream function is invoked with.
#[derive(Deserialize)]
#[serde(untagged)]
enum Delivery {
    /// An object of the failure destination, which an operator replays: its `payload` is the batch that was given up.
    GivenUp {
        payload: String,
    },
    Batch(Event),
}

impl Delivery {
    fn batch(self) -> Result<Event, serde_json::Error> {
        match self {
            Self::GivenUp { payload } => serde_json::from_str(&payload),
            Self::Batch(event) => Ok(event),
        }
    }
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
    let reader = &start(function, async |aws| {
        let reader = build(aws).await?;
        aws.warm_up(reader.warm_up()).await;
        Ok(reader)
    })
    .await?;
    let progress = &Progress::default();
    run(async move |delivery: Delivery| Ok(handle(reader, progress, delivery.batch()?).await)).await
}

async fn handle<S: StreamReader>(reader: &S, progress: &Progress, event: Event) -> BatchResponse {
    let batch: Vec<Change> = event.records.into_iter().filter_map(change).collect();
    let mut delivered: BTreeSet<String> = batch.iter().map(|change| change.sequence_number.clone()).collect();
    let mut failed = reader.read(progress.remaining(batch)).await;
    delivered.retain(|number| !failed.contains(number));
    progress.set(if failed.is_empty() { BTreeSet::new() } else { delivered });
    // Lambda continues from the lowest one. Sequence numbers are decimal numbers of different lengths.
    failed.sort_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
    let lowest = failed.into_iter().next();
    BatchResponse { failures: lowest.into_iter().map(|sequence_number| Failure { sequence_number }).collect() }
}

/// The changes of the last batch that succeeded although another one failed. Lambda delivers them again together with
/// that one, up to hundreds of times while something is down, and usually to this process; a new one repeats them.
#[derive(Default)]
struct Progress(RefCell<BTreeSet<String>>);

impl Progress {
    fn remaining(&self, batch: Vec<Change>) -> Vec<Change> {
        let done = self.0.borrow();
        batch.into_iter().filter(|change| !done.contains(&change.sequence_number)).collect()
    }

    fn set(&self, done: BTreeSet<String>) {
        self.0.replace(done);
    }
}

/// Reads a record; `None` for a removal, which concerns nobody, and for a record that is no log entry. The latter would
/// fail every time and stop the stream for all rooms until Lambda gives up. Its row is in the table, and an alarm is
/// raised.
fn change(record: EventRecord) -> Option<Change> {
    /// The key of a row of the log.
    #[derive(Default, Deserialize)]
    struct Key {
        room_id: Option<RoomId>,
        seq: Option<Seq>,
    }
    if record.event_name == "REMOVE" {
        return None;
    }
    let change = record.change;
    let sequence_number = change.sequence_number.unwrap_or_default();
    let before =
        if change.old_image.is_empty() { Ok(None) } else { serde_dynamo::from_item(change.old_image).map(Some) };
    match (before, serde_dynamo::from_item(change.new_image)) {
        (Ok(before), Ok(after)) => Some(Change { sequence_number, before, after }),
        (Err(_), _) | (_, Err(_)) => {
            let Key { room_id, seq } = serde_dynamo::from_item(change.keys).unwrap_or_default();
            // The cause is left out: serde would quote the row.
            tracing::error!(
                sequence_number,
                room = room_id.map(|room| room.to_string()),
                seq = seq.map(Seq::get),
                "skipped a stream record that cannot be read as a log entry"
            );
            metric::count(Metric::PoisonRecord, 1);
            None
        }
    }
}

#[cfg(test)]
mod tests;
