//! Pushes frames to connections: side by side, in order for each, and never waiting for one that does not take them.

use std::time::Duration;

use futures::{StreamExt, stream};
use shared::audience::Listeners;
use shared::clock::Clock;
use shared::error::chain;
use shared::push::{Delivery as Outcome, Push};
use shared::table::{Connection, Connections};

use crate::frames::Frames;

/// The way to the connections.
pub struct Delivery {
    pub push: Push,
    pub connections: Connections,
    pub clock: Clock,
}

/// A push can overtake the `$connect` of its connection, whose 410 then means "not yet".
const YOUNG: Duration = Duration::from_secs(60);

impl Delivery {
    /// Pushes to every connection what concerns it.
    pub async fn deliver(&self, listeners: &[Listeners], frames: &Frames) {
        let connections = listeners
            .iter()
            .flat_map(|listeners| listeners.attentive.iter().map(move |connection| (listeners, connection)));
        stream::iter(connections)
            .for_each_concurrent(Push::AT_ONCE, async |(listeners, connection)| {
                for frame in frames.for_connection(listeners, connection) {
                    if !self.send(connection, frame).await {
                        break;
                    }
                }
            })
            .await;
    }

    /// Pushes one frame to each of several connections.
    pub async fn show(&self, connections: &[&Connection], frame: &str) {
        stream::iter(connections)
            .for_each_concurrent(Push::AT_ONCE, async |connection| {
                self.send(connection, frame).await;
            })
            .await;
    }

    /// Whether the connection took it. One that did not is spared the rest of the batch: it repairs itself by `seq`, and the
    /// others do not wait for its timeouts.
    async fn send(&self, connection: &Connection, frame: &str) -> bool {
        let outcome = self.push.send(&connection.connection_id, frame).await;
        if outcome == Outcome::Gone && self.clock.now().since(connection.connected_at) >= YOUNG {
            self.forget(connection).await;
        }
        outcome == Outcome::Delivered
    }

    /// Closes the connections whose session has ended.
    pub async fn close_ended(&self, listeners: &[Listeners]) {
        let ended = listeners.iter().flat_map(|listeners| &listeners.ended);
        stream::iter(ended)
            .for_each_concurrent(Push::AT_ONCE, async |connection| {
                self.push.close(&connection.connection_id).await;
                self.forget(connection).await;
            })
            .await;
    }

    /// Removes the rows of a connection that is no more. Should that fail, the next push finds it again.
    async fn forget(&self, connection: &Connection) {
        if let Err(error) = self.connections.forget(connection).await {
            tracing::warn!(connection = %connection.connection_id, error = chain(&error), "the rows of a closed connection stay for now");
        }
    }
}
