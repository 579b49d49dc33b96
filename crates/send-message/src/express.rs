//! The express lane: the function that stores a message pushes it directly to a small audience, without waiting for the
//! stream, and marks the connections that took it. Fan-out pushes to all others. So nothing here has to succeed, and
//! only a connection that took the message may be marked: a crash before the mark costs a duplicate, never a loss.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use protocol::chat::Entry;
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, RoomId};
use protocol::wire::{Event, MessageView};
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::{Connection, IdempotencyRecord, IdempotencyRecords};
use shared::adapters::push::Push;
use shared::error::chain;
use shared::services::audience::Audience;
use tokio::time::{sleep, timeout};

pub struct Express {
    pub audience: Audience,
    pub push: Push,
    pub records: IdempotencyRecords,
    /// Larger audiences are left to the stream; at 0 all of them.
    pub limit: usize,
}

impl Express {
    /// Does `work` and looks up the audience meanwhile. The audience is empty if it is too large or not known in time.
    pub async fn look_up_during<T>(
        &self,
        room: &RoomId,
        now: Timestamp,
        work: impl Future<Output = T>,
    ) -> (T, Vec<Connection>) {
        if self.limit == 0 {
            return (work.await, Vec::new());
        }
        let work = pin!(work);
        let audience = pin!(self.audience.small(room, self.limit, now));
        let (done, audience) = match select(work, audience).await {
            Either::Left((done, audience)) => {
                (done, timeout(DeliveryPolicy::EXPRESS_LOOKUP, audience).await.unwrap_or(Ok(None)))
            }
            Either::Right((audience, work)) => (work.await, audience),
        };
        let audience = audience.unwrap_or_else(|error| {
            tracing::warn!(%room, error = chain(&error), "failed to read the audience; leaving delivery to the stream");
            None
        });
        (done, audience.unwrap_or_default())
    }

    /// Pushes a new entry to all but the connection it came from, and marks those that took it in time.
    pub async fn deliver(&self, entry: &Entry, record: &IdempotencyRecord, audience: Vec<Connection>) {
        let others = audience.into_iter().map(|connection| connection.connection_id);
        let others: Vec<_> = others.filter(|connection| Some(connection) != entry.origin.as_ref()).collect();
        if others.is_empty() {
            return;
        }
        let Ok(frame) = Event::Message(MessageView::of_event(entry)).to_frame() else { return };
        let frame: Arc<str> = Arc::from(frame);
        // Tasks go on when they are no longer waited for: a push cancelled in its TLS handshake would make the next one
        // start another.
        let mut pushes: FuturesUnordered<_> = others
            .into_iter()
            .map(|connection| tokio::spawn(push_one(self.push.clone(), connection, Arc::clone(&frame))))
            .collect();
        let mut took = Vec::new();
        let mut time_out = pin!(sleep_in_steps(DeliveryPolicy::EXPRESS_PUSHES));
        loop {
            tokio::select! {
                biased;
                pushed = pushes.next() => match pushed {
                    Some(pushed) => took.extend(pushed.ok().flatten()),
                    None => break,
                },
                () = &mut time_out => break,
            }
        }
        if took.is_empty() {
            return;
        }
        let error = match timeout(DeliveryPolicy::EXPRESS_MARK, self.records.mark_pushed(record, took)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => chain(&error),
            Err(late) => late.to_string(),
        };
        tracing::warn!(
            room = %entry.room_id,
            error,
            "failed to mark the connections that took a message; they will get it twice"
        );
    }
}

/// Returns the connection if it took the frame.
async fn push_one(push: Push, connection: ConnectionId, frame: Arc<str>) -> Option<ConnectionId> {
    push.try_send(&connection, &frame).await.then_some(connection)
}

/// Sleeps in small steps: if the process gets no CPU for a while, that uses up one step only, and not the connections'
/// time.
async fn sleep_in_steps(time: Duration) {
    const STEP: Duration = Duration::from_millis(10);
    for _ in 0..time.as_millis() / STEP.as_millis() {
        sleep(STEP).await;
    }
}
