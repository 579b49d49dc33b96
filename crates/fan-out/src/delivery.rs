//! Pushes frames to connections: side by side, in order for each, and hardly waiting for one that does not take them.
//!
//! The rule: a push that is not answered is given up after a second, and for the next minute that connection's pushes after 50 ms; once
//! eight of a batch were given up, all its others after 50 ms; and after 1,000 of them nothing more of the batch is pushed. So a room
//! whose connections answer is served whole, however many they are, and those that answer nothing hold up a batch, all of them
//! together, for two seconds at most, and a connection that goes on answering nothing for a moment.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use protocol::clock::{Clock, Timestamp};
use protocol::ids::ConnectionId;
use shared::adapters::dynamodb::{Connection, Connections, TableError};
use shared::adapters::push::{Delivery as Outcome, Push};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::services::audience::{DeliveryMode, Listener};

use crate::frames::Frames;

/// The way to the connections.
pub struct Delivery {
    pub push: Push,
    pub connections: Connections,
    pub clock: Clock,
    pub silent: Silent,
}

/// A push can overtake the `$connect` of its connection, whose 410 then means "not yet".
const YOUNG: Duration = Duration::from_secs(60);

/// Who answered nothing, and until when little is expected of them.
#[derive(Default)]
pub struct Silent(RefCell<HashMap<ConnectionId, Timestamp>>);

impl Silent {
    /// How long little is expected of a connection.
    const SUSPECTED: Duration = Duration::from_secs(60);
    /// How many are remembered: some megabyte.
    const MOST: usize = 10_000;

    fn note(&self, connection: &ConnectionId, now: Timestamp) {
        let mut silent = self.0.borrow_mut();
        if silent.len() >= Self::MOST {
            silent.clear();
        }
        silent.insert(connection.clone(), now + Self::SUSPECTED);
    }

    fn clear(&self, connection: &ConnectionId) {
        self.0.borrow_mut().remove(connection);
    }

    fn suspects(&self, connection: &ConnectionId, now: Timestamp) -> bool {
        self.0.borrow().get(connection).is_some_and(|until| now < *until)
    }
}

/// How long one batch still waits for connections that do not answer.
#[derive(Default)]
pub struct Patience {
    given_up: Cell<usize>,
    unserved: Cell<u64>,
}

impl Patience {
    /// One second of a batch whose rooms are served eight side by side, if each of them has one connection that does not answer.
    const FULL: usize = 8;
    /// One more second, if they are all in one room.
    const SHORT: usize = 1_000;
    const SHORTENED: Duration = Duration::from_millis(50);

    /// How long the next push may take; `None` if it is not to be made any more.
    fn with_next(&self) -> Option<Duration> {
        match self.given_up.get() {
            given_up if given_up < Self::FULL => Some(Push::PATIENCE),
            given_up if given_up < Self::SHORT => Some(Self::SHORTENED),
            _ => {
                self.unserved.set(self.unserved.get() + 1);
                None
            }
        }
    }

    fn gave_up(&self) {
        self.given_up.set(self.given_up.get() + 1);
    }

    /// Counts at a batch's end what was not even tried.
    pub fn report(self) {
        let unserved = self.unserved.get();
        if unserved > 0 {
            tracing::warn!(unserved, "too many connections did not answer; the rest of a batch was not pushed");
            metric::count(Metric::PushDropped, unserved);
        }
    }
}

impl Delivery {
    /// Pushes to every listener what concerns it, and gives back who is to be shown the room afterwards: those that get no
    /// messages, and where the room is new all of them. Who was found before a part of the listeners could not be read has
    /// got its frames nevertheless.
    pub async fn deliver<'a>(
        &self,
        listeners: impl Stream<Item = Result<Listener<'a>, TableError>>,
        frames: &Frames,
        patience: &Patience,
    ) -> Result<Vec<Connection>, TableError> {
        let (summaries, failure) = (RefCell::new(Vec::new()), Cell::new(None));
        listeners
            .for_each_concurrent(Push::AT_ONCE, async |listener| match listener {
                Ok(listener) => {
                    if listener.mode == DeliveryMode::Summary
                        || (listener.mode == DeliveryMode::Full && frames.creates_room)
                    {
                        summaries.borrow_mut().push(listener.connection.clone());
                    }
                    self.serve(&listener, frames, patience).await;
                }
                Err(error) => failure.set(Some(error)),
            })
            .await;
        failure.into_inner().map_or(Ok(summaries.into_inner()), Err)
    }

    async fn serve(&self, listener: &Listener<'_>, frames: &Frames, patience: &Patience) {
        let connection = &listener.connection;
        match listener.mode {
            DeliveryMode::Expired => {
                self.push.close(&connection.connection_id).await;
                self.mark_closed(connection).await;
            }
            DeliveryMode::Summary => {}
            // One that does not take a frame is spared the rest of the batch: it repairs itself by `seq`, and the others do not
            // wait for it again.
            DeliveryMode::Full => {
                for frame in frames.concerning(listener) {
                    if !self.give(connection, frame, patience).await {
                        return;
                    }
                }
            }
        }
    }

    /// Pushes one frame to each of several connections.
    pub async fn show(&self, connections: impl Iterator<Item = &Connection>, frame: &str, patience: &Patience) {
        stream::iter(connections)
            .for_each_concurrent(Push::AT_ONCE, async |connection| {
                self.give(connection, frame, patience).await;
            })
            .await;
    }

    /// Pushes one frame; says whether it was taken. A connection that is no more is forgotten.
    async fn give(&self, connection: &Connection, frame: &str, patience: &Patience) -> bool {
        let (id, now) = (&connection.connection_id, self.clock.now());
        let Some(time) = patience.with_next() else { return false };
        let time = if self.silent.suspects(id, now) { Patience::SHORTENED } else { time };
        match self.push.send_within(time, id, frame).await {
            Outcome::Delivered => {
                self.silent.clear(id);
                return true;
            }
            Outcome::Dropped => {
                self.silent.note(id, now);
                patience.gave_up();
            }
            Outcome::Gone => {
                if now.since(connection.connected_at) >= YOUNG {
                    self.mark_closed(connection).await;
                }
            }
        }
        false
    }

    /// Removes the rows of a connection that is no more. Should that fail, the next push finds it again.
    async fn mark_closed(&self, connection: &Connection) {
        if let Err(error) = self.connections.forget(connection).await {
            tracing::warn!(connection = %connection.connection_id, error = chain(&error), "the rows of a closed connection stay for now");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a batch waits for so many connections of which none answers, where so many are side by side.
    fn waits(connections: usize, side_by_side: u32) -> Duration {
        let patience = Patience::default();
        let next = || patience.with_next().inspect(|_| patience.gave_up());
        let waited: Duration = std::iter::from_fn(next).take(connections).sum();
        waited / side_by_side
    }

    #[test]
    fn who_answers_nothing_holds_up_a_batch_for_two_seconds_at_most() {
        let at_once = u32::try_from(Push::AT_ONCE).expect("small");
        assert!(waits(usize::MAX, at_once) < Duration::from_secs(2), "all in one room");
        // A batch has at most 100 records, and eight rooms are side by side.
        assert!(waits(100, 8) < Duration::from_secs(2), "one in each room");
    }

    #[test]
    fn of_who_answered_nothing_little_is_expected_for_a_minute() {
        let (silent, one, now) = (Silent::default(), ConnectionId::new("a"), Timestamp::from_millis(5));
        silent.note(&one, now);
        assert!(silent.suspects(&one, now) && !silent.suspects(&ConnectionId::new("b"), now));
        assert!(!silent.suspects(&one, now + Silent::SUSPECTED));
        silent.clear(&one);
        assert!(!silent.suspects(&one, now));
    }

    #[test]
    fn a_batch_whose_connections_answer_is_served_however_many_they_are() {
        let patience = Patience::default();
        assert!((0..100_000).all(|_| patience.with_next() == Some(Push::PATIENCE)));
    }

    #[test]
    fn what_is_not_even_tried_any_more_is_counted() {
        let patience = Patience::default();
        for _ in 0..Patience::SHORT {
            assert!(patience.with_next().is_some());
            patience.gave_up();
        }
        assert_eq!((0..5).filter_map(|_| patience.with_next()).count(), 0);
        assert_eq!(patience.unserved.get(), 5);
    }
}
