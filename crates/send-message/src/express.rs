//! The express lane: who stores a message pushes it to a small audience at once, without waiting for the stream, and marks
//! who took it. The stream's reader pushes to everybody who is not marked. So nothing here has to succeed, and nothing may
//! be marked that was not taken: a crash before the mark costs a double, never a loss.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use futures::{StreamExt, stream};
use shared::audience::Audience;
use shared::chat::Entry;
use shared::clock::Timestamp;
use shared::error::chain;
use shared::ids::{ConnectionId, RoomId};
use shared::push::Push;
use shared::table::{Connection, Send, Sends};
use shared::wire::{Event, MessageView};
use tokio::time::timeout;

/// The lane and its doors.
pub struct Express {
    pub audience: Audience,
    pub push: Push,
    pub sends: Sends,
    /// A larger audience is left to the stream; at zero every one is.
    pub limit: usize,
}

/// How long is waited for the audience once the message is stored: in a group its lookup takes two round trips, as storing
/// does.
const LOOKUP: Duration = Duration::from_millis(50);
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

    /// Pushes a new entry to everybody but the connection it came from, and marks who took it.
    pub async fn deliver(&self, entry: &Entry, send: &Send, audience: &[Connection]) {
        let others = audience.iter().map(|connection| &connection.connection_id);
        let others: Vec<_> = others.filter(|connection| Some(*connection) != entry.origin.as_ref()).collect();
        let (false, Ok(frame)) = (others.is_empty(), Event::Message(MessageView::of_event(entry)).to_frame()) else {
            return;
        };
        let took = stream::iter(others)
            .map(async |connection: &ConnectionId| self.push.took(connection, &frame).await.then(|| connection.clone()))
            .buffer_unordered(Push::AT_ONCE)
            .filter_map(async |took| took)
            .collect::<Vec<_>>()
            .await;
        if took.is_empty() {
            return;
        }
        let error = match timeout(MARK, self.sends.mark_pushed(send, took)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => chain(&error),
            Err(late) => late.to_string(),
        };
        tracing::warn!(room = %entry.room_id, error, "who took a message is not marked; they will get it twice");
    }
}
