//! Ends somebody's connection from our side.

use crate::clock::Timestamp;
use crate::error::chain;
use crate::push::Push;
use crate::table::{Connections, Session, Sessions};

/// What a connection hangs on.
#[derive(Debug, Clone)]
pub struct Hangup {
    /// Closes it.
    pub push: Push,
    /// Who is listening.
    pub connections: Connections,
    /// The record of it.
    pub sessions: Sessions,
}

impl Hangup {
    /// Closes a session's connection, and nobody speaks to it any more. What cannot be written falls to `$disconnect`, to the next push
    /// that finds nobody (410), or to TTL.
    pub async fn end(&self, session: &Session, now: Timestamp) {
        self.push.close(&session.connection_id).await;
        let ended = tokio::try_join!(
            self.connections.remove(&session.participant, &session.connection_id),
            self.sessions.end(&session.user_id, &session.session, now),
        );
        if let Err(error) = ended {
            tracing::warn!(connection = %session.connection_id, error = chain(&error), "a closed connection is still recorded");
        }
    }
}
