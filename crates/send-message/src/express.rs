//! The express lane: who stores a message pushes it to a small audience at once, without waiting for the stream, and marks
//! who took it. The stream's reader pushes to everybody who is not marked. So nothing here has to succeed, and nothing may
//! be marked that was not taken: a crash before the mark costs a double, never a loss.

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
use shared::adapters::dynamodb::{Connection, IdempotencyRecord, IdempotencyRecords};
use shared::adapters::push::Push;
use shared::error::chain;
use shared::services::audience::Audience;
use tokio::time::{sleep, timeout};

pub struct Express {
    pub audience: Audience,
    pub push: Push,
    pub records: IdempotencyRecords,
    /// A larger audience is left to the stream; at zero every one is.
    pub limit: usize,
}

/// How long is waited for the audience once the message is stored: in a group its lookup takes two round trips, as storing
/// does.
const LOOKUP: Duration = Duration::from_millis(50);
/// How long the pushes of a text are waited for, all of them together; one takes 40 ms at p99 (`crates/measure/latencies.json`). Who took
/// it by then is marked before the stream brings the text to fan-out, which takes 0.2 s; who did not is left to the stream, and keeps
/// the sender and the others waiting no longer.
const PUSHES: Duration = Duration::from_millis(80);
/// How long the mark may take. The sender's reply waits for it.
const MARK: Duration = Duration::from_millis(250);

impl Express {
    /// Does `work` and looks up meanwhile who is to get what comes of it: nobody where they are too many or not known in time.
    pub async fn alongside<T>(
        &self,
        room: &RoomId,
        now: Timestamp,
        work: impl Future<Output = T>,
    ) -> (T, Vec<Connection>) {
        if self.limit == 0 {
            return (work.await, Vec::new());
        }
        let (work, audience) = (pin!(work), pin!(self.audience.small(room, self.limit, now)));
        let (done, audience) = match select(work, audience).await {
            Either::Left((done, audience)) => (done, timeout(LOOKUP, audience).await.unwrap_or(Ok(None))),
            Either::Right((audience, work)) => (work.await, audience),
        };
        let audience = audience.unwrap_or_else(|error| {
            tracing::warn!(%room, error = chain(&error), "the audience of a room is left to the stream");
            None
        });
        (done, audience.unwrap_or_default())
    }

    /// Pushes a new entry to everybody but the connection it came from, and marks who took it in time.
    pub async fn deliver(&self, entry: &Entry, record: &IdempotencyRecord, audience: Vec<Connection>) {
        let others = audience.into_iter().map(|connection| connection.connection_id);
        let others: Vec<_> = others.filter(|connection| Some(connection) != entry.origin.as_ref()).collect();
        let (false, Ok(frame)) = (others.is_empty(), Event::Message(MessageView::of_event(entry)).to_frame()) else {
            return;
        };
        let frame: Arc<str> = Arc::from(frame);
        // Each is a task of its own, which goes on when it is no longer waited for: cut off in its TLS handshake, the next one would
        // begin with another.
        let mut pushes: FuturesUnordered<_> = others
            .into_iter()
            .map(|connection| tokio::spawn(took(self.push.clone(), connection, Arc::clone(&frame))))
            .collect();
        let (mut took, mut over) = (Vec::new(), pin!(passes(PUSHES)));
        loop {
            tokio::select! {
                biased;
                pushed = pushes.next() => match pushed {
                    Some(pushed) => took.extend(pushed.ok().flatten()),
                    None => break,
                },
                () = &mut over => break,
            }
        }
        if took.is_empty() {
            return;
        }
        let error = match timeout(MARK, self.records.mark_pushed(record, took)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => chain(&error),
            Err(late) => late.to_string(),
        };
        tracing::warn!(room = %entry.room_id, error, "who took a message is not marked; they will get it twice");
    }
}

/// The connection, if it took the frame.
async fn took(push: Push, connection: ConnectionId, frame: Arc<str>) -> Option<ConnectionId> {
    push.try_send(&connection, &frame).await.then_some(connection)
}

/// Ends when so much time has passed, in small steps: where the process is given no processor for a while, that is one step, and
/// not the fault of those that it pushes to.
async fn passes(time: Duration) {
    const STEP: Duration = Duration::from_millis(10);
    for _ in 0..time.as_millis() / STEP.as_millis() {
        sleep(STEP).await;
    }
}
