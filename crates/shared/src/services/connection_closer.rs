//! Closing a person's connections from our side.

use protocol::clock::Timestamp;
use protocol::wire::{Event, SessionEvent};

use crate::adapters::delivery_policy::DeliveryPolicy;
use crate::adapters::dynamodb::{Connections, Session, Sessions};
use crate::adapters::push::{CloseOutcome, Push};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::error::chain;

/// Closes connections and records that they have ended.
#[derive(Debug, Clone)]
pub struct ConnectionCloser {
    pub push: Push,
    pub connections: Connections,
    pub sessions: Sessions,
}

impl ConnectionCloser {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { push: Push::new(aws), connections: Connections::open(aws)?, sessions: Sessions::open(aws)? })
    }

    /// Tells a session's connection why it will be closed, as far as it can be reached.
    pub async fn notify(&self, session: &Session, event: SessionEvent) {
        if let Ok(frame) = (Event::Session { event }).to_frame() {
            self.push.send(&session.connection_id, &frame).await;
        }
    }

    /// Closes a session's connection; nothing is pushed to it afterwards. Returns whether its handshake may still be
    /// going on, unknown to API Gateway: [`Self::retry_close`] then waits for it, in case its `$connect` does not
    /// notice that it was ended.
    #[must_use]
    pub async fn end(&self, session: &Session, now: Timestamp) -> bool {
        self.mark_closed(session, now).await;
        let age = now.since(session.connected_at);
        self.close(session).await == CloseOutcome::Gone && age < DeliveryPolicy::HANDSHAKE_MAY_LAST
    }

    /// Closes a connection as soon as its handshake is over.
    pub async fn retry_close(&self, session: &Session) {
        for pause in DeliveryPolicy::CLOSE_RETRIES {
            tokio::time::sleep(pause).await;
            if self.close(session).await != CloseOutcome::Gone {
                return;
            }
        }
    }

    async fn close(&self, session: &Session) -> CloseOutcome {
        let outcome = self.push.close(&session.connection_id).await;
        // It may still be open: the next attempt to end the person's connections tries again.
        if outcome == CloseOutcome::Failed
            && let Err(error) = self.sessions.reopen(&session.user_id, &session.session).await
        {
            let connection = &session.connection_id;
            tracing::warn!(%connection, error = chain(&error), "a connection that may be open is recorded as ended");
        }
        outcome
    }

    /// Removes a session's connection from all audiences and records its end. If that fails, it is left to
    /// `$disconnect`, to the next push that is answered with 410, or to TTL.
    pub async fn mark_closed(&self, session: &Session, now: Timestamp) {
        let ended = tokio::try_join!(
            self.connections.remove(&session.participant, &session.connection_id),
            self.sessions.end(&session.user_id, &session.session, now),
        );
        if let Err(error) = ended {
            let connection = &session.connection_id;
            tracing::warn!(%connection, error = chain(&error), "failed to record that a connection has ended");
        }
    }
}
