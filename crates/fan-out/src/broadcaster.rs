//! Pushes frames to connections: concurrently, in order for each connection, with little patience for those that do not
//! answer.
//!
//! A push is dropped after [`DeliveryPolicy::PUSH_TIMEOUT`], and for the next minute that connection gets the short
//! timeout only. Once [`DeliveryPolicy::FULL_TIMEOUTS`] pushes of a batch were dropped, all others get the short
//! timeout; after [`DeliveryPolicy::MAX_TIMEOUTS`] nothing more of the batch is pushed. So a room whose connections
//! answer is served completely, however many they are, and unresponsive connections delay a batch by two seconds at
//! most, all of them together.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use protocol::clock::{Clock, Timestamp};
use protocol::ids::ConnectionId;
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::{Connection, Connections, TableError};
use shared::adapters::push::{Push, PushOutcome};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::services::audience::{DeliveryMode, Listener};
use shared::services::rate_limiter::Pacer;

use crate::frames::Frames;

pub struct Broadcaster {
    pub push: Push,
    pub connections: Connections,
    /// Keeps the pushes of all fan-out processes below what API Gateway accepts from the whole account.
    pub pacer: Pacer,
    pub clock: Clock,
    pub unresponsive: UnresponsiveConnections,
}

/// Connections that did not answer, and until when they get the short timeout.
#[derive(Default)]
pub struct UnresponsiveConnections(RefCell<HashMap<ConnectionId, Timestamp>>);

impl UnresponsiveConnections {
    /// Remembered connections: about a megabyte.
    const CAPACITY: usize = 10_000;

    fn insert(&self, connection: &ConnectionId, now: Timestamp) {
        let mut connections = self.0.borrow_mut();
        if connections.len() >= Self::CAPACITY {
            connections.clear();
        }
        connections.insert(connection.clone(), now + DeliveryPolicy::UNRESPONSIVE_FOR);
    }

    fn remove(&self, connection: &ConnectionId) {
        self.0.borrow_mut().remove(connection);
    }

    fn is_unresponsive(&self, connection: &ConnectionId, now: Timestamp) -> bool {
        self.0.borrow().get(connection).is_some_and(|until| now < *until)
    }
}

/// How long one batch still waits for connections that do not answer.
#[derive(Default)]
pub struct TimeoutBudget {
    timeouts: Cell<usize>,
    skipped: Cell<u64>,
}

impl TimeoutBudget {
    /// The timeout of the next push; `None` if the budget is used up.
    fn next_timeout(&self) -> Option<Duration> {
        match self.timeouts.get() {
            timeouts if timeouts < DeliveryPolicy::FULL_TIMEOUTS => Some(DeliveryPolicy::PUSH_TIMEOUT),
            timeouts if timeouts < DeliveryPolicy::MAX_TIMEOUTS => Some(DeliveryPolicy::SHORT_TIMEOUT),
            _ => {
                self.skipped.set(self.skipped.get() + 1);
                None
            }
        }
    }

    fn record_timeout(&self) {
        self.timeouts.set(self.timeouts.get() + 1);
    }

    /// Counts the pushes of a finished batch that were not attempted.
    pub fn report(self) {
        let skipped = self.skipped.get();
        if skipped > 0 {
            tracing::warn!(skipped, "too many connections did not answer; skipped the other pushes of a batch");
            metric::count(Metric::PushDropped, skipped);
        }
    }
}

impl Broadcaster {
    /// Pushes to every listener the frames that concern it. Returns the connections to which the room is to be shown
    /// afterwards: those that get summaries, and all of them if the room is new. If a part of the listeners cannot be
    /// read, those found before have got their frames nevertheless.
    pub async fn broadcast<'a>(
        &self,
        listeners: impl Stream<Item = Result<Listener<'a>, TableError>>,
        frames: &Frames,
        budget: &TimeoutBudget,
    ) -> Result<Vec<Connection>, TableError> {
        let summaries = RefCell::new(Vec::new());
        let failure = Cell::new(None);
        listeners
            .for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, async |listener| match listener {
                Ok(listener) => {
                    let gets_summary = match listener.mode {
                        DeliveryMode::Full => frames.creates_room,
                        DeliveryMode::Summary => true,
                        DeliveryMode::Expired => false,
                    };
                    if gets_summary {
                        summaries.borrow_mut().push(listener.connection.clone());
                    }
                    self.serve(&listener, frames, budget).await;
                }
                Err(error) => failure.set(Some(error)),
            })
            .await;
        failure.into_inner().map_or(Ok(summaries.into_inner()), Err)
    }

    async fn serve(&self, listener: &Listener<'_>, frames: &Frames, budget: &TimeoutBudget) {
        let connection = &listener.connection;
        match listener.mode {
            DeliveryMode::Expired => {
                self.pace().await;
                self.push.close(&connection.connection_id).await;
                self.mark_closed(connection).await;
            }
            DeliveryMode::Summary => {}
            // A connection that did not take a frame is spared the rest of the batch: the client notices the gap in
            // `seq`, and the others do not wait for it again.
            DeliveryMode::Full => {
                for frame in frames.concerning(listener) {
                    if !self.push_one(connection, frame, budget).await {
                        return;
                    }
                }
            }
        }
    }

    /// Pushes one frame to each of several connections.
    pub async fn push_to_all(
        &self,
        connections: impl Iterator<Item = &Connection>,
        frame: &str,
        budget: &TimeoutBudget,
    ) {
        stream::iter(connections)
            .for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, async |connection| {
                self.push_one(connection, frame, budget).await;
            })
            .await;
    }

    /// Waits for this process's turn to call API Gateway.
    async fn pace(&self) {
        let delay = self.pacer.delay(self.clock.now());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Pushes one frame and returns whether it was delivered. A connection that has ended is removed.
    async fn push_one(&self, connection: &Connection, frame: &str, budget: &TimeoutBudget) -> bool {
        let id = &connection.connection_id;
        let Some(timeout) = budget.next_timeout() else { return false };
        self.pace().await;
        let now = self.clock.now();
        let timeout = if self.unresponsive.is_unresponsive(id, now) { DeliveryPolicy::SHORT_TIMEOUT } else { timeout };
        match self.push.send_within(timeout, id, frame).await {
            PushOutcome::Delivered => {
                self.unresponsive.remove(id);
                return true;
            }
            PushOutcome::Dropped => {
                self.unresponsive.insert(id, now);
                budget.record_timeout();
            }
            PushOutcome::Gone => {
                if now.since(connection.connected_at) >= DeliveryPolicy::YOUNG_CONNECTION {
                    self.mark_closed(connection).await;
                }
            }
        }
        false
    }

    /// Removes the rows of a connection that has ended. If that fails, the next push finds it again.
    async fn mark_closed(&self, connection: &Connection) {
        if let Err(error) = self.connections.forget(connection).await {
            let connection = &connection.connection_id;
            tracing::warn!(%connection, error = chain(&error), "failed to remove the rows of a closed connection");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a batch waits for this many connections of which none answers.
    fn total_wait(connections: usize, concurrency: u32) -> Duration {
        let budget = TimeoutBudget::default();
        let next = || budget.next_timeout().inspect(|_| budget.record_timeout());
        let waited: Duration = std::iter::from_fn(next).take(connections).sum();
        waited / concurrency
    }

    #[test]
    fn unresponsive_connections_delay_a_batch_at_most_two_seconds() {
        let concurrency = u32::try_from(DeliveryPolicy::MAX_CONCURRENCY).expect("small");
        assert!(total_wait(usize::MAX, concurrency) < Duration::from_secs(2), "all in one room");
        // A batch has at most 100 records, and eight rooms are served concurrently.
        assert!(total_wait(100, 8) < Duration::from_secs(2), "one in each room");
    }

    #[test]
    fn connection_stays_unresponsive_for_a_minute() {
        let unresponsive = UnresponsiveConnections::default();
        let connection = ConnectionId::new("a");
        let now = Timestamp::from_millis(5);
        unresponsive.insert(&connection, now);
        assert!(unresponsive.is_unresponsive(&connection, now));
        assert!(!unresponsive.is_unresponsive(&ConnectionId::new("b"), now));
        assert!(!unresponsive.is_unresponsive(&connection, now + DeliveryPolicy::UNRESPONSIVE_FOR));
        unresponsive.remove(&connection);
        assert!(!unresponsive.is_unresponsive(&connection, now));
    }

    #[test]
    fn responsive_batches_have_no_limit() {
        let budget = TimeoutBudget::default();
        assert!((0..100_000).all(|_| budget.next_timeout() == Some(DeliveryPolicy::PUSH_TIMEOUT)));
    }

    #[test]
    fn skipped_pushes_are_counted() {
        let budget = TimeoutBudget::default();
        for _ in 0..DeliveryPolicy::MAX_TIMEOUTS {
            assert!(budget.next_timeout().is_some());
            budget.record_timeout();
        }
        assert_eq!((0..5).filter_map(|_| budget.next_timeout()).count(), 0);
        assert_eq!(budget.skipped.get(), 5);
    }
}
