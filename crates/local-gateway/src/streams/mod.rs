//! DynamoDB Streams to Lambda: one reader per event source mapping of the template.
//!
//! As on Lambda, each reader is independent of the others, runs one invocation at a time (there is one shard per
//! table), delivers at least once and in order, and retries a failed batch until it succeeds, is too old, or was tried
//! too often. Unlike on Lambda, a reader reads as soon as something was written instead of four times a second; see
//! [`Timing`]. Whatever else Lambda may do to batches happens only by [`faults`](crate::faults).
//!
//! If a function reports failures (`ReportBatchItemFailures`) and fails at the first record, the whole batch is retried
//! and, in the end, given up on; only an error of the function splits it (`BisectBatchOnFunctionError`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

mod checkpoint;
mod destination;
mod event;
mod faulty;
mod filter;
mod invoker;
mod outcome;
mod reader;
#[cfg(test)]
mod tests;
mod timing;
mod write_times;

pub use destination::{Condition, GivenUp};
pub(crate) use invoker::Invoker;
pub use timing::Timing;

use crate::dynamodb::{ApiError, Database};
use crate::faults::Faults;
use crate::interceptor::Interceptor;
use checkpoint::Checkpoint;
use destination::{Destinations, FailureContext};
use event::Source;
use faulty::FaultyInvoker;
use filter::Filter;
use invoker::DirectInvoker;
use reader::{Command, Reader};
use sam_template::{Function, StartingPosition, StreamEvent, Template};
use write_times::WriteTimes;

/// How the readers of a stack work.
pub(crate) struct ReaderOptions {
    pub(crate) timing: Timing,
    /// The folder for records that a reader gives up on; without one, they go to a temporary folder that is removed
    /// with the readers.
    pub(crate) failed_batches: Option<PathBuf>,
    pub(crate) faults: Faults,
    pub(crate) interceptor: Arc<dyn Interceptor>,
}

/// Why the readers cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// A filter pattern that Lambda would reject.
    #[error("Resources.{function}.Properties.Events.{event}.Properties.FilterCriteria: {problem}")]
    Filter {
        /// The function's logical id.
        function: String,
        /// The key of the event.
        event: String,
        /// What is wrong with the pattern.
        problem: String,
    },
    /// The database cannot be read.
    #[error("failed to read the streams' positions: {}", .0.body)]
    Database(ApiError),
}

/// All readers of a template's streams; dropping them stops them.
pub struct Streams {
    database: Database,
    readers: Vec<RunningReader>,
    paused: watch::Sender<bool>,
    destinations: Destinations,
    /// Duplicates that are not delivered yet.
    duplicates: TaskTracker,
}

struct RunningReader {
    table: String,
    position: watch::Receiver<Option<i64>>,
    commands: mpsc::Sender<Command>,
    task: AbortHandle,
}

impl Streams {
    /// Starts a reader for each enabled stream event of the template.
    ///
    /// # Errors
    ///
    /// See [`StreamsError`].
    pub(crate) async fn start(
        template: &Template,
        database: Database,
        invoker: impl Invoker,
        options: ReaderOptions,
    ) -> Result<Streams, StreamsError> {
        let events: Vec<(&Function, &StreamEvent)> = template
            .functions
            .values()
            .flat_map(|function| function.streams.iter().map(move |event| (function, event)))
            .filter(|(_, event)| event.enabled)
            .collect();
        let mut readers_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (function, event) in &events {
            readers_of.entry(&event.table).or_default().push(reader_name(function, event));
        }
        let duplicates = TaskTracker::new();
        // A tracker can only be waited for once it is closed; that does not keep it from tracking more.
        duplicates.close();
        let mut streams = Streams {
            database: database.clone(),
            readers: Vec::new(),
            paused: watch::Sender::new(false),
            destinations: Destinations::in_folder(options.failed_batches.clone()),
            duplicates,
        };
        for (function, event) in events {
            let table = &template.tables[&event.table];
            let name = reader_name(function, event);
            let start = match (database.position(&name).await.map_err(StreamsError::Database)?, event.starting_position)
            {
                (Some(position), _) => Some(position),
                (None, StartingPosition::TrimHorizon) => None,
                (None, StartingPosition::Latest) => {
                    database.last_record(&table.name).await.map_err(StreamsError::Database)?
                }
            };
            let checkpoint = Checkpoint {
                database: database.clone(),
                reader: name,
                table: table.name.clone(),
                readers: readers_of[event.table.as_str()].clone(),
                position: watch::Sender::new(start),
            };
            let source = Source {
                region: template.stack.region.clone(),
                stream_arn: event.stream_arn.clone(),
                view_type: table.stream.as_ref().map(|stream| stream.view_type.clone()).unwrap_or_default(),
            };
            let invoker = DirectInvoker {
                invoker: invoker.clone(),
                function: function.logical_id.clone(),
                interceptor: options.interceptor.clone(),
            };
            streams.add_reader(function, event, source, checkpoint, invoker, &options)?;
        }
        Ok(streams)
    }

    fn add_reader(
        &mut self,
        function: &Function,
        event: &StreamEvent,
        source: Source,
        checkpoint: Checkpoint,
        invoker: DirectInvoker<impl Invoker>,
        options: &ReaderOptions,
    ) -> Result<(), StreamsError> {
        let filter = Filter::of(&event.filters).map_err(|problem| StreamsError::Filter {
            function: function.logical_id.clone(),
            event: event.name.clone(),
            problem,
        })?;
        let context = FailureContext {
            function: function.logical_id.clone(),
            function_arn: function.arn.clone(),
            mapping: Uuid::new_v4(),
            shard: dynoxide::streams::shard_id(&checkpoint.table),
            stream_arn: event.stream_arn.clone(),
            destination: event.on_failure.clone(),
        };
        let (sender, commands) = mpsc::channel(1);
        let table = checkpoint.table.clone();
        let position = checkpoint.position.subscribe();
        let paused = self.paused.subscribe();
        let faults = options.faults.clone();
        let reader = Reader {
            context,
            source,
            settings: event.clone(),
            filter,
            database: self.database.clone(),
            checkpoint,
            invoker: FaultyInvoker::new(invoker, faults.clone(), paused.clone(), self.duplicates.clone()),
            timing: options.timing,
            destinations: self.destinations.clone(),
            faults,
            write_times: WriteTimes::default(),
            paused,
            commands,
            last_batch: Vec::new(),
        };
        let task = tokio::spawn(reader.run()).abort_handle();
        self.readers.push(RunningReader { table, position, commands: sender, task });
        Ok(())
    }

    /// Holds all readers before their next invocation. Running invocations finish.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Lets the readers continue.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    /// Delivers each reader's last batch again, as Lambda may do at any time, even while the readers are paused. Waits
    /// for the functions' responses and returns the number of batches.
    pub async fn redeliver_last(&self) -> usize {
        let mut redelivered = 0;
        for reader in &self.readers {
            let (done, answer) = oneshot::channel();
            if reader.commands.send(Command::Redeliver(done)).await.is_ok() && answer.await.unwrap_or(false) {
                redelivered += 1;
            }
        }
        redelivered
    }

    /// Skips everything written so far, for callers that load initial data into the tables: pause the readers, load the
    /// data, skip it, and resume the readers.
    pub async fn skip_written(&self) {
        for reader in &self.readers {
            let (done, skipped) = oneshot::channel();
            // An error means that the reader has ended, with the gateway.
            if reader.commands.send(Command::Skip(done)).await.is_ok() {
                let _ = skipped.await;
            }
        }
    }

    /// Waits until every reader is done with every record: each was delivered, filtered out or given up on, duplicates
    /// by faults included. What functions write while they run counts too, so this may take forever under steady load,
    /// and does so while the readers are paused with unread records.
    pub async fn idle(&self) {
        let writes = self.database.writes();
        loop {
            // A function's writes are counted before its reader moves on. So if the count has not changed, no record
            // came in between.
            let before = *writes.borrow();
            for reader in &self.readers {
                let last = self.database.last_record(&reader.table).await.ok().flatten();
                // An error means that the reader has ended, with the gateway.
                let _ = reader.position.clone().wait_for(|position| *position >= last).await;
            }
            self.duplicates.wait().await;
            if *writes.borrow() == before {
                return;
            }
        }
    }

    /// What the readers gave up on so far, oldest first.
    pub fn given_up(&self) -> Vec<GivenUp> {
        self.destinations.given_up()
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.task.abort();
        }
    }
}

/// `<function>/<event>`
fn reader_name(function: &Function, event: &StreamEvent) -> String {
    format!("{}/{}", function.logical_id, event.name)
}
