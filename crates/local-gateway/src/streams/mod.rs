//! DynamoDB Streams to Lambda: one reader per event source mapping of the template.
//!
//! As on Lambda, each reader is independent of the others, has one invocation at a time (one shard per table), delivers at
//! least once and in order, and retries a failed batch until it is through, too old, or was tried too often. Unlike there, a
//! reader looks at once when something was written, and not four times a second: see [`Timing`]. What Lambda does to
//! readers on bad days, only [`faults`](crate::faults) do here.
//!
//! Where a function reports failures (`ReportBatchItemFailures`) and does not get past the first record, the batch is
//! retried whole and, in the end, given up whole; only a function's error splits it (`BisectBatchOnFunctionError`).

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use uuid::Uuid;

mod delivery;
mod destination;
mod event;
mod filter;
mod reader;
mod repeats;
mod sightings;
#[cfg(test)]
mod tests;

pub use destination::{Condition, GivenUp};

use crate::dynamodb::{ApiError, Database};
use crate::faults::Faults;
use crate::lambda::{Functions, InvokeError};
use crate::living::Living;
use destination::Destinations;
use event::Source;
use filter::Filter;
use reader::{Command, Reader};
use repeats::Repeats;
use sam_template::{Function, StartingPosition, StreamEvent, Template};
use sightings::Sightings;

/// Invokes functions: [`Functions`], or a test's stand-in.
pub trait Invoker: Clone + Send + Sync + 'static {
    /// Invokes a function by its logical id.
    fn invoke(&self, logical_id: &str, payload: Bytes) -> impl Future<Output = Result<Bytes, InvokeError>> + Send;
}

impl Invoker for Functions {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        Functions::invoke(self, logical_id, payload).await
    }
}

/// How long readers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between a write and the look at it. Lambda polls every 250 ms; here it is nothing by default.
    pub poll: Duration,
    /// Before the first retry of a failed batch; each further wait is twice as long.
    pub first_retry: Duration,
    /// The longest wait before a retry.
    pub longest_retry: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing { poll: Duration::ZERO, first_retry: Duration::from_millis(100), longest_retry: Duration::from_secs(10) }
    }
}

/// Why the readers cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// A filter pattern that Lambda would refuse.
    #[error("Resources.{function}.Properties.Events.{event}.Properties.FilterCriteria: {problem}")]
    Filter {
        /// The function's logical id.
        function: String,
        /// The name of its event.
        event: String,
        /// What is wrong with the pattern.
        problem: String,
    },
    /// The database cannot be read.
    #[error("the streams' positions cannot be read: {}", .0.body)]
    Database(ApiError),
}

/// All readers of a template's streams. Dropping them stops them.
pub struct Streams {
    database: Database,
    readers: Vec<Running>,
    paused: watch::Sender<bool>,
    given_up: Arc<Mutex<Vec<GivenUp>>>,
    /// Batches that a fault delivers once more.
    repeats: Living,
}

struct Running {
    table: String,
    position: watch::Receiver<Option<i64>>,
    commands: mpsc::Sender<Command>,
    task: AbortHandle,
}

impl Streams {
    /// Starts a reader for each enabled stream event of the template. What readers give up is written below `failures`, or
    /// into a temporary folder that goes with the readers. `faults` strike what is delivered.
    ///
    /// # Errors
    ///
    /// See [`StreamsError`].
    pub async fn start(
        template: &Template,
        database: Database,
        invoker: impl Invoker,
        timing: Timing,
        failures: Option<PathBuf>,
        faults: Faults,
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
        let destinations = Destinations::in_folder(failures);
        let mut streams = Streams {
            database: database.clone(),
            readers: Vec::new(),
            paused: watch::Sender::new(false),
            given_up: Arc::default(),
            repeats: Living::none_yet(),
        };
        for (function, event) in events {
            let filter = Filter::of(&event.filters).map_err(|problem| StreamsError::Filter {
                function: function.logical_id.clone(),
                event: event.name.clone(),
                problem,
            })?;
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
            let (position, (sender, commands)) = (watch::Sender::new(start), mpsc::channel(1));
            let position_seen = position.subscribe();
            let reader = Reader {
                function: function.logical_id.clone(),
                function_arn: function.arn.clone(),
                table: table.name.clone(),
                source: Source {
                    region: template.stack.region.clone(),
                    stream_arn: event.stream_arn.clone(),
                    view_type: table.stream.as_ref().map(|stream| stream.view_type.clone()).unwrap_or_default(),
                },
                settings: event.clone(),
                filter,
                readers: readers_of[event.table.as_str()].clone(),
                database: database.clone(),
                invoker: invoker.clone(),
                timing,
                destinations: destinations.clone(),
                mapping: Uuid::new_v4(),
                shard: dynoxide::streams::shard_id(&table.name),
                paused: streams.paused.subscribe(),
                commands,
                position,
                given_up: streams.given_up.clone(),
                last_batch: Vec::new(),
                faults: faults.clone(),
                sightings: Sightings::default(),
                repeats: Repeats::counted_by(streams.repeats.clone()),
                name,
            };
            let task = tokio::spawn(reader.run()).abort_handle();
            let table = table.name.clone();
            streams.readers.push(Running { table, position: position_seen, commands: sender, task });
        }
        Ok(streams)
    }

    /// Holds all readers back before their next invocation. What a function is just working on is finished.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Lets the readers go on.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    /// Delivers each reader's last batch once more, as Lambda may do at any time, even while the readers are paused. Waits
    /// until the functions have answered and says how many batches that were.
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

    /// Is done with everything that was written up to now, without delivering it: for whoever loads tables with what is
    /// to be there from the beginning. Pause the readers before loading, pass over what was loaded, and resume them.
    pub async fn pass_over(&self) {
        for reader in &self.readers {
            let (done, passed) = oneshot::channel();
            // An error means that the reader has ended, with the gateway.
            if reader.commands.send(Command::PassOver(done)).await.is_ok() {
                let _ = passed.await;
            }
        }
    }

    /// Waits until every reader is done with every record: each was delivered, filtered out or given up. What functions
    /// write while they are invoked counts too, so this may take for ever under steady load, and does so while the
    /// readers are paused with records before them. Batches that a fault delivers once more are waited for too.
    pub async fn idle(&self) {
        let writes = self.database.writes();
        loop {
            // A function's writes are counted before its reader moves on, so what is settled at an unchanged count is
            // settled at once.
            let before = *writes.borrow();
            for reader in &self.readers {
                let last = self.database.last_record(&reader.table).await.ok().flatten();
                // An error means that the reader has ended, with the gateway.
                let _ = reader.position.clone().wait_for(|position| *position >= last).await;
            }
            self.repeats.ended().await;
            if *writes.borrow() == before {
                return;
            }
        }
    }

    /// What the readers gave up so far, oldest first.
    pub fn given_up(&self) -> Vec<GivenUp> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.task.abort();
        }
    }
}

fn reader_name(function: &Function, event: &StreamEvent) -> String {
    format!("{}/{}", function.logical_id, event.name)
}
