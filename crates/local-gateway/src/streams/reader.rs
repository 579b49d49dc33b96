//! One reader of one stream: gathers batches, delivers them one at a time, and gives up on those that fail too often.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot, watch};

use super::checkpoint::Checkpoint;
use super::destination::{Condition, Destinations, FailureContext};
use super::event::{Record, Source};
use super::filter::Filter;
use super::invoker::{BatchInvoker, Response};
use super::outcome::{Outcome, outcome};
use super::timing::Timing;
use super::write_times::WriteTimes;
use crate::dynamodb::{ApiError, Database};
use crate::faults::Faults;
use crate::lambda::InvokeError;
use sam_template::StreamEvent;

/// How many records one poll reads.
const POLL_RECORDS: usize = 1_000;

/// The largest event of a batch: Lambda's payload limit.
const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// A request to a reader.
pub(super) enum Command {
    /// Deliver the last batch again; the answer is whether there was one.
    Redeliver(oneshot::Sender<bool>),
    /// Skip everything written so far.
    Skip(oneshot::Sender<()>),
}

pub(super) struct Reader<B> {
    pub(super) context: FailureContext,
    pub(super) source: Source,
    pub(super) settings: StreamEvent,
    pub(super) filter: Filter,
    pub(super) database: Database,
    pub(super) checkpoint: Checkpoint,
    pub(super) invoker: B,
    pub(super) timing: Timing,
    pub(super) destinations: Destinations,
    /// The source of the latency between a write and its delivery.
    pub(super) faults: Faults,
    pub(super) write_times: WriteTimes,
    pub(super) paused: watch::Receiver<bool>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) last_batch: Vec<Record>,
}

/// The gateway is shutting down.
struct Stopped;

/// Records that are delivered together.
struct Batch {
    records: Vec<Record>,
    invocations: u32,
    /// The response to the next invocation, if it ran concurrently with that of the batch before.
    response: Option<Response>,
}

impl Batch {
    fn new(records: Vec<Record>, invocations: u32) -> Batch {
        Batch { records, invocations, response: None }
    }
}

impl<B: BatchInvoker> Reader<B> {
    pub(super) async fn run(self) {
        let write_times = self.write_times.clone();
        let database = self.database.clone();
        let table = self.checkpoint.table.clone();
        let faults = self.faults.clone();
        tokio::select! {
            () = write_times.watch(&database, &table, &faults) => {}
            () = self.read() => {}
        }
    }

    async fn read(mut self) {
        let mut writes = self.database.writes();
        loop {
            // Marked as seen before reading, so that a write in between ends the wait below.
            writes.borrow_and_update();
            if self.until_resumed().await.is_err() {
                return;
            }
            match self.gather().await {
                Ok((records, through)) if !records.is_empty() => {
                    if self.deliver(records, through).await.is_err() {
                        return;
                    }
                    // A command must not wait for the end of the stream.
                    while let Ok(command) = self.commands.try_recv() {
                        self.execute(command).await;
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    self.log_read_failure(&error);
                    tokio::time::sleep(self.timing.longest_retry).await;
                }
            }
            tokio::select! {
                changed = writes.changed() => match changed {
                    Ok(()) => tokio::time::sleep(self.timing.poll).await,
                    Err(_) => return,
                },
                changed = self.paused.changed() => if changed.is_err() { return },
                command = self.commands.recv() => match command {
                    Some(command) => self.execute(command).await,
                    None => return,
                },
            }
        }
    }

    /// Waits while the readers are paused; commands are executed meanwhile.
    async fn until_resumed(&mut self) -> Result<(), Stopped> {
        while *self.paused.borrow_and_update() {
            tokio::select! {
                changed = self.paused.changed() => changed.map_err(|_| Stopped)?,
                command = self.commands.recv() => self.execute(command.ok_or(Stopped)?).await,
            }
        }
        Ok(())
    }

    async fn execute(&mut self, command: Command) {
        // The sender of the command may have stopped waiting.
        match command {
            Command::Redeliver(done) => {
                if !self.last_batch.is_empty() {
                    self.invoker.redeliver(&self.last_batch).await;
                }
                let _ = done.send(!self.last_batch.is_empty());
            }
            Command::Skip(done) => {
                match self.database.last_record(&self.checkpoint.table).await {
                    Ok(Some(last)) => self.checkpoint.advance(last).await,
                    Ok(None) => {}
                    Err(error) => self.log_read_failure(&error),
                }
                let _ = done.send(());
            }
        }
    }

    /// The next batch, and the number up to which the reader is done once it is delivered. Waits for more records
    /// during the batching window.
    async fn gather(&self) -> Result<(Vec<Record>, i64), ApiError> {
        let (mut records, mut through) = self.poll().await?;
        if let Some(first) = records.first() {
            let written = self.write_times.of(first.number);
            let hop = self.faults.floor_since(written, |latencies| latencies.stream_hop.as_ref());
            if hop.is_ahead() {
                hop.passed().await;
                // Records written meanwhile are included.
                (records, through) = self.poll().await?;
            }
        }
        let window = self.settings.batching_window;
        if records.is_empty() || records.len() >= self.settings.batch_size || window.is_zero() {
            return Ok((records, through));
        }
        tokio::time::sleep(window).await;
        self.poll().await
    }

    async fn poll(&self) -> Result<(Vec<Record>, i64), ApiError> {
        loop {
            let position = self.checkpoint.position();
            let read = self.database.records(&self.checkpoint.table, position, POLL_RECORDS).await?;
            let mut batch = Vec::new();
            let mut through = position.unwrap_or(-1);
            if read.is_empty() {
                return Ok((batch, through));
            }
            let mut size = 0;
            for record in read {
                let record = Record::of(record, &self.source);
                if self.filter.matches(&record.event) {
                    size += record.size + 1;
                    if batch.len() == self.settings.batch_size || (size > MAX_PAYLOAD_BYTES && !batch.is_empty()) {
                        break;
                    }
                    through = record.number;
                    batch.push(record);
                } else {
                    through = record.number;
                }
            }
            if !batch.is_empty() {
                return Ok((batch, through));
            }
            // All of these records are filtered out.
            self.checkpoint.advance(through).await;
        }
    }

    async fn deliver(&mut self, records: Vec<Record>, through: i64) -> Result<(), Stopped> {
        let mut batches = VecDeque::from([Batch::new(records, 0)]);
        while let Some(mut batch) = batches.pop_front() {
            let response = match batch.response.take() {
                Some(response) => response,
                None => {
                    batch.records = self.without_old(batch.records, batch.invocations).await;
                    if batch.records.is_empty() {
                        continue;
                    }
                    self.invoker.ready().await;
                    self.until_resumed().await?;
                    self.invoke(&mut batch, &mut batches).await
                }
            };
            batch.invocations += 1;
            self.last_batch.clone_from(&batch.records);
            match &response {
                Err(InvokeError::Stopped) => return Err(Stopped),
                Err(error) => tracing::warn!(
                    "{} failed on {} stream records: {}",
                    self.context.function,
                    batch.records.len(),
                    error.error_type()
                ),
                Ok(_) => {}
            }
            self.settle(batch, &response, &mut batches).await;
        }
        self.checkpoint.advance(through).await;
        Ok(())
    }

    /// Invokes the function with a batch and returns its response. If the batch was delivered in parts, it keeps the
    /// first one; the others are put before the batches that follow, with their responses.
    async fn invoke(&mut self, batch: &mut Batch, following: &mut VecDeque<Batch>) -> Response {
        let mut responses = self.invoker.deliver(&batch.records).await;
        while responses.len() > 1 {
            let Some(part) = responses.pop() else { break };
            let records = batch.records.split_off(batch.records.len() - part.records);
            let response = Some(part.response);
            following.push_front(Batch { records, invocations: batch.invocations, response });
        }
        responses.pop().map_or(Err(InvokeError::Stopped), |part| part.response)
    }

    /// Decides by the response which records are done, retried or given up.
    async fn settle(&self, mut batch: Batch, response: &Response, batches: &mut VecDeque<Batch>) {
        let reports_failures = self.settings.report_batch_item_failures;
        match outcome(response.as_ref().ok(), &batch.records, reports_failures) {
            Outcome::Delivered => self.done_with(&batch.records).await,
            Outcome::DeliveredBefore(failed) if failed > 0 => {
                let rest = batch.records.split_off(failed);
                self.done_with(&batch.records).await;
                batches.push_front(Batch::new(rest, 0));
                self.back_off(0).await;
            }
            Outcome::Failed if self.settings.bisect_on_error && batch.records.len() > 1 => {
                let second = batch.records.split_off(batch.records.len() / 2);
                // Splitting a batch does not count as a retry.
                let invocations = batch.invocations - 1;
                batches.push_front(Batch::new(second, invocations));
                batches.push_front(Batch::new(batch.records, invocations));
                self.back_off(invocations).await;
            }
            Outcome::DeliveredBefore(_) | Outcome::Failed => {
                if self.settings.maximum_retry_attempts.is_none_or(|retries| batch.invocations <= retries) {
                    self.back_off(batch.invocations).await;
                    batches.push_front(batch);
                } else {
                    self.give_up(&batch.records, Condition::RetryAttemptsExhausted, batch.invocations).await;
                }
            }
        }
    }

    /// Gives up on the records that are too old, and returns the others.
    async fn without_old(&self, mut records: Vec<Record>, invocations: u32) -> Vec<Record> {
        let Some(maximum_age) = self.settings.maximum_record_age else { return records };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_old = |record: &Record| {
            let created = Duration::from_secs(u64::try_from(record.created_at).unwrap_or_default());
            now.saturating_sub(created) > maximum_age
        };
        // Records are in the order in which they were written.
        let rest = records.split_off(records.partition_point(is_old));
        if !records.is_empty() {
            self.give_up(&records, Condition::RecordAgeExceeded, invocations).await;
        }
        rest
    }

    async fn give_up(&self, records: &[Record], condition: Condition, invocations: u32) {
        self.destinations.give_up(&self.context, condition, invocations, records);
        self.done_with(records).await;
    }

    async fn done_with(&self, records: &[Record]) {
        if let Some(last) = records.last() {
            self.checkpoint.advance(last.number).await;
        }
    }

    /// Waits before the next attempt: the first wait doubled with every invocation, up to the longest.
    async fn back_off(&self, invocations: u32) {
        let wait = self.timing.first_retry.saturating_mul(2_u32.saturating_pow(invocations.saturating_sub(1)));
        tokio::time::sleep(wait.min(self.timing.longest_retry)).await;
    }

    fn log_read_failure(&self, error: &ApiError) {
        tracing::error!("failed to read the stream of {}: {}", self.checkpoint.table, error.body);
    }
}
