//! One reader of one stream: gathers batches, delivers them one at a time, and gives up what fails too often.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::delivery::{Outcome, outcome};
use super::destination::{Condition, Destinations, Failure, GivenUp};
use super::event::{Record, Source, batch};
use super::filter::Filter;
use super::repeats::Repeats;
use super::sightings::Sightings;
use super::{Invoker, Timing};
use crate::dynamodb::{ApiError, Database};
use crate::faults::{Faults, Kind, Strike};
use crate::lambda::InvokeError;
use sam_template::StreamEvent;

/// How many records one poll reads.
const POLL: usize = 1_000;

/// How large a batch's event may be: Lambda's payload limit.
const PAYLOAD: usize = 6 * 1024 * 1024;

/// What a reader is asked to do besides reading.
pub(super) enum Command {
    /// Deliver the last batch once more; answers whether there was one.
    Redeliver(oneshot::Sender<bool>),
    /// Be done with everything that was written up to now, undelivered.
    PassOver(oneshot::Sender<()>),
}

pub(super) struct Reader<I> {
    /// `<function>/<event>`, under which its position is kept.
    pub(super) name: String,
    pub(super) function: String,
    pub(super) function_arn: String,
    /// The physical name of the table.
    pub(super) table: String,
    pub(super) source: Source,
    pub(super) settings: StreamEvent,
    pub(super) filter: Filter,
    /// All readers of this stream, by name.
    pub(super) readers: Vec<String>,
    pub(super) database: Database,
    pub(super) invoker: I,
    pub(super) timing: Timing,
    pub(super) destinations: Destinations,
    pub(super) mapping: Uuid,
    pub(super) shard: String,
    pub(super) paused: watch::Receiver<bool>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// The number of the last record that it is done with.
    pub(super) position: watch::Sender<Option<i64>>,
    pub(super) given_up: Arc<Mutex<Vec<GivenUp>>>,
    pub(super) last_batch: Vec<Record>,
    pub(super) faults: Faults,
    pub(super) sightings: Sightings,
    pub(super) repeats: Repeats,
}

/// The gateway is shutting down.
struct Stopped;

/// Records that are invoked with together.
struct Piece {
    records: Vec<Record>,
    invocations: u32,
    /// The answer to its next invocation, where a fault made that one run beside the piece before it.
    answer: Option<Answer>,
}

type Answer = Result<Bytes, InvokeError>;

impl Piece {
    fn of(records: Vec<Record>, invocations: u32) -> Piece {
        Piece { records, invocations, answer: None }
    }
}

impl<I: Invoker> Reader<I> {
    pub(super) async fn run(self) {
        let sightings = self.sightings.clone();
        let (database, table, faults) = (self.database.clone(), self.table.clone(), self.faults.clone());
        tokio::select! {
            () = sightings.watch(&database, &table, &faults) => {}
            () = self.read() => {}
        }
    }

    async fn read(mut self) {
        let mut writes = self.database.writes();
        loop {
            // Seen before reading, so that a write in between ends the wait below.
            writes.borrow_and_update();
            if self.until_resumed().await.is_err() {
                return;
            }
            match self.gather().await {
                Ok((records, through)) if !records.is_empty() => {
                    if self.deliver(records, through).await.is_err() {
                        return;
                    }
                    // A redelivery asked for meanwhile does not wait for the end of the stream.
                    while let Ok(command) = self.commands.try_recv() {
                        self.obey(command).await;
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!("the stream of {} cannot be read: {}", self.table, error.body);
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
                    Some(command) => self.obey(command).await,
                    None => return,
                },
            }
        }
    }

    /// Waits while the readers are paused; what is asked for meanwhile is done.
    async fn until_resumed(&mut self) -> Result<(), Stopped> {
        while *self.paused.borrow_and_update() {
            tokio::select! {
                changed = self.paused.changed() => changed.map_err(|_| Stopped)?,
                command = self.commands.recv() => self.obey(command.ok_or(Stopped)?).await,
            }
        }
        Ok(())
    }

    async fn obey(&mut self, command: Command) {
        // Whoever asked may have stopped waiting.
        match command {
            Command::Redeliver(done) => {
                if !self.last_batch.is_empty() {
                    // As when Lambda loses its checkpoint: what the function says to it changes nothing here.
                    let _ = self.invoke(&self.last_batch).await;
                }
                let _ = done.send(!self.last_batch.is_empty());
            }
            Command::PassOver(done) => {
                match self.database.last_record(&self.table).await {
                    Ok(Some(last)) => self.done_with(last).await,
                    Ok(None) => {}
                    Err(error) => tracing::error!("the stream of {} cannot be read: {}", self.table, error.body),
                }
                let _ = done.send(());
            }
        }
    }

    /// The next batch, and the number up to which the reader is done once it is delivered. Waits for more while the
    /// batching window lasts.
    async fn gather(&self) -> Result<(Vec<Record>, i64), ApiError> {
        let (mut records, mut through) = self.poll().await?;
        if let Some(first) = records.first() {
            let written = self.sightings.of(first.number);
            let hop = self.faults.floor_since(written, |latencies| latencies.stream_hop.as_ref());
            if hop.is_ahead() {
                hop.passed().await;
                // What was written meanwhile goes along.
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
            let position = *self.position.borrow();
            let read = self.database.records(&self.table, position, POLL).await?;
            let (mut batch, mut through, mut size) = (Vec::new(), position.unwrap_or(-1), 0);
            if read.is_empty() {
                return Ok((batch, through));
            }
            for record in read {
                let record = Record::of(record, &self.source);
                if self.filter.lets_through(&record.event) {
                    size += record.size + 1;
                    if batch.len() == self.settings.batch_size || (size > PAYLOAD && !batch.is_empty()) {
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
            // Nothing of all that is for this reader.
            self.done_with(through).await;
        }
    }

    async fn deliver(&mut self, records: Vec<Record>, through: i64) -> Result<(), Stopped> {
        let mut pieces = VecDeque::from([Piece::of(records, 0)]);
        while let Some(piece) = pieces.pop_front() {
            let (mut piece, answer) = match piece {
                Piece { answer: Some(answer), records, invocations } => (Piece::of(records, invocations), answer),
                piece => {
                    let Some(mut piece) = self.without_old(piece).await else { continue };
                    if let Some(late) = self.strike(Kind::StreamLate) {
                        tokio::time::sleep(late.after).await;
                    }
                    self.until_resumed().await?;
                    let (answer, beside) = self.invoke_perhaps_in_parts(&mut piece).await;
                    if let Some(beside) = beside {
                        pieces.push_front(beside);
                    }
                    (piece, answer)
                }
            };
            piece.invocations += 1;
            self.last_batch.clone_from(&piece.records);
            self.repeat(&piece.records);
            if matches!(answer, Err(InvokeError::Stopped)) {
                return Err(Stopped);
            }
            if let Err(error) = &answer {
                tracing::warn!(
                    "{} failed on {} stream records: {}",
                    self.function,
                    piece.records.len(),
                    error.error_type()
                );
            }
            let outcome = match self.faults.sabotage() {
                Some(sabotage) if sabotage.failures_dropped => Outcome::Delivered,
                _ => outcome(answer.as_ref().ok(), &piece.records, self.settings.report_batch_item_failures),
            };
            match outcome {
                Outcome::Delivered => self.done_with_all(&piece.records).await,
                Outcome::DeliveredBefore(failed) if failed > 0 => {
                    let rest = piece.records.split_off(failed);
                    self.done_with_all(&piece.records).await;
                    pieces.push_front(Piece::of(rest, 0));
                    self.back_off(0).await;
                }
                Outcome::Failed if self.settings.bisect_on_error && piece.records.len() > 1 => {
                    let second = piece.records.split_off(piece.records.len() / 2);
                    // A split does not count against the retries.
                    let invocations = piece.invocations - 1;
                    pieces.push_front(Piece::of(second, invocations));
                    pieces.push_front(Piece::of(piece.records, invocations));
                    self.back_off(invocations).await;
                }
                _ if self.settings.maximum_retry_attempts.is_none_or(|most| piece.invocations <= most) => {
                    self.back_off(piece.invocations).await;
                    pieces.push_front(piece);
                }
                _ => self.give_up(&piece.records, Condition::RetryAttemptsExhausted, piece.invocations).await,
            }
        }
        self.done_with(through).await;
        Ok(())
    }

    /// Invokes with a piece, or, where a fault has it so, with two parts of it at once. The piece keeps the first part then,
    /// whose answer is returned; the other part comes with its own.
    async fn invoke_perhaps_in_parts(&self, piece: &mut Piece) -> (Answer, Option<Piece>) {
        let parts = if piece.records.len() > 1 { self.strike(Kind::StreamParallel) } else { None };
        let Some(strike) = parts else { return (self.invoke(&piece.records).await, None) };
        let second = piece.records.split_off(1 + strike.among(piece.records.len() - 1));
        let (first_answer, answer) = tokio::join!(self.invoke(&piece.records), self.invoke(&second));
        (first_answer, Some(Piece { records: second, invocations: piece.invocations, answer: Some(answer) }))
    }

    /// Where a fault has it so, delivers records that were just delivered once more, all or some of them.
    fn repeat(&mut self, records: &[Record]) {
        let doubled = self.strike(Kind::StreamDoubled).map(|strike| (strike.after, records));
        let split = self.strike(Kind::StreamSplit).map(|strike| {
            let from = strike.among(records.len());
            // Of a single record the only part is the whole.
            (strike.after, if from == 0 { &records[..records.len().div_ceil(2)] } else { &records[from..] })
        });
        for (after, records) in [doubled, split].into_iter().flatten() {
            let (invoker, function) = (self.invoker.clone(), self.function.clone());
            let batch = Bytes::from(batch(records).to_string());
            self.repeats.later(after, invoker, function, batch, self.paused.clone());
        }
    }

    fn strike(&self, kind: Kind) -> Option<Strike> {
        self.faults.strike(kind, &self.function, "")
    }

    /// Gives up the records that are too old, and returns what is left.
    async fn without_old(&self, mut piece: Piece) -> Option<Piece> {
        if let Some(most) = self.settings.maximum_record_age {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let old = |record: &Record| {
                let created = Duration::from_secs(u64::try_from(record.created_at).unwrap_or_default());
                now.saturating_sub(created) > most
            };
            // Records are in the order in which they were written.
            let young = piece.records.partition_point(old);
            let rest = piece.records.split_off(young);
            if !piece.records.is_empty() {
                self.give_up(&piece.records, Condition::RecordAgeExceeded, piece.invocations).await;
            }
            piece.records = rest;
        }
        (!piece.records.is_empty()).then_some(piece)
    }

    async fn invoke(&self, records: &[Record]) -> Result<Bytes, InvokeError> {
        self.invoker.invoke(&self.function, Bytes::from(batch(records).to_string())).await
    }

    async fn give_up(&self, records: &[Record], condition: Condition, invocations: u32) {
        let failure = Failure {
            function: &self.function,
            function_arn: &self.function_arn,
            mapping: self.mapping,
            shard: &self.shard,
            stream_arn: &self.source.stream_arn,
            condition,
            invocations,
            destination: self.settings.on_failure.as_ref(),
        };
        let given_up = self.destinations.give_up(&failure, records);
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).push(given_up);
        self.done_with_all(records).await;
    }

    async fn done_with_all(&self, records: &[Record]) {
        if let Some(last) = records.last() {
            self.done_with(last.number).await;
        }
    }

    async fn done_with(&self, number: i64) {
        if *self.position.borrow() >= Some(number) {
            return;
        }
        if let Err(error) = self.database.advance(&self.name, number, &self.table, &self.readers).await {
            tracing::error!("the position in the stream of {} cannot be kept: {}", self.table, error.body);
        }
        self.position.send_replace(Some(number));
    }

    /// Waits before the next try: the first wait doubled with every invocation, up to the longest.
    async fn back_off(&self, invocations: u32) {
        let wait = self.timing.first_retry.saturating_mul(2_u32.saturating_pow(invocations.saturating_sub(1)));
        tokio::time::sleep(wait.min(self.timing.longest_retry)).await;
    }
}
