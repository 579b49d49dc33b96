//! Pushes frames to connections: side by side, in order for each, and never waiting for one that does not take them.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use shared::audience::{Attention, Listener};
use shared::clock::Clock;
use shared::error::chain;
use shared::ids::{ConnectionId, Participant};
use shared::push::{Delivery as Outcome, Push};
use shared::table::{Connection, Connections, TableError};

use crate::frames::Frames;

/// The way to the connections.
pub struct Delivery {
    pub push: Push,
    pub connections: Connections,
    pub clock: Clock,
}

/// A connection that is shown the room once a batch's entries are in its head, and whose it is.
pub type Glance = (Participant, ConnectionId);

/// A push can overtake the `$connect` of its connection, whose 410 then means "not yet".
const YOUNG: Duration = Duration::from_secs(60);

impl Delivery {
    /// Pushes to every listener what concerns it, and gives back who is to be shown the room afterwards: those that get no
    /// messages, and where the room is new all of them. Who was found before a part of the listeners could not be read has
    /// got its frames nevertheless.
    pub async fn deliver<'a>(
        &self,
        listeners: impl Stream<Item = Result<Listener<'a>, TableError>>,
        frames: &Frames,
    ) -> Result<Vec<Glance>, TableError> {
        let (glances, failure) = (RefCell::new(Vec::new()), Cell::new(None));
        listeners
            .for_each_concurrent(Push::AT_ONCE, async |listener| match listener {
                Ok(listener) => {
                    if listener.attention == Attention::Glance
                        || (listener.attention == Attention::Each && frames.creates_room)
                    {
                        let Connection { participant, connection_id, .. } = &listener.connection;
                        glances.borrow_mut().push((participant.clone(), connection_id.clone()));
                    }
                    self.serve(&listener, frames).await;
                }
                Err(error) => failure.set(Some(error)),
            })
            .await;
        failure.into_inner().map_or(Ok(glances.into_inner()), Err)
    }

    async fn serve(&self, listener: &Listener<'_>, frames: &Frames) {
        let connection = &listener.connection;
        match listener.attention {
            Attention::Ended => {
                self.push.close(&connection.connection_id).await;
                self.forget(connection).await;
            }
            Attention::Glance => {}
            // One that does not take a frame is spared the rest of the batch: it repairs itself by `seq`, and the others do not
            // wait for its timeouts.
            Attention::Each => {
                for frame in frames.concerning(listener) {
                    match self.push.send(&connection.connection_id, frame).await {
                        Outcome::Delivered => {}
                        Outcome::Gone if self.clock.now().since(connection.connected_at) >= YOUNG => {
                            return self.forget(connection).await;
                        }
                        Outcome::Gone | Outcome::Dropped => return,
                    }
                }
            }
        }
    }

    /// Pushes one frame to each of several connections. One that is gone is forgotten by the next message.
    pub async fn show(&self, connections: impl Iterator<Item = &ConnectionId>, frame: &str) {
        stream::iter(connections)
            .for_each_concurrent(Push::AT_ONCE, async |connection| {
                self.push.send(connection, frame).await;
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
