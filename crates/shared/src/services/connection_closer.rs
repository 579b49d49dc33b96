//! Ends somebody's connection from our side.

use std::time::Duration;

use crate::adapters::dynamodb::{Connections, Session, Sessions};
use crate::adapters::push::{Closing, Push};
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::error::chain;
use protocol::clock::Timestamp;

/// What a connection hangs on.
#[derive(Debug, Clone)]
pub struct ConnectionCloser {
    /// Closes it.
    pub push: Push,
    /// Who is listening.
    pub connections: Connections,
    /// The record of it.
    pub sessions: Sessions,
}

/// For so long after its beginning a connection may be unknown to API Gateway although its handshake goes on: longer than an
/// integration may take. <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const IN_THE_MAKING: Duration = Duration::from_secs(30);
/// How long is waited for such a connection, each time twice as long: some four seconds in all.
const WAITS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

impl ConnectionCloser {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { push: Push::new(aws), connections: Connections::open(aws)?, sessions: Sessions::open(aws)? })
    }

    /// Closes a session's connection, and nobody speaks to it any more. Says whether its handshake may still go on, unknown to API
    /// Gateway: [`Self::retry_close`] then waits for it, should its `$connect` not find that it was ended.
    #[must_use]
    pub async fn end(&self, session: &Session, now: Timestamp) -> bool {
        self.mark_closed(session, now).await;
        self.close(session).await == Closing::Gone && now.since(session.connected_at) < IN_THE_MAKING
    }

    /// Closes a connection whose handshake goes on as soon as it is there.
    pub async fn retry_close(&self, session: &Session) {
        for wait in WAITS {
            tokio::time::sleep(wait).await;
            if self.close(session).await != Closing::Gone {
                return;
            }
        }
    }

    async fn close(&self, session: &Session) -> Closing {
        let closing = self.push.close(&session.connection_id).await;
        // It may be open still, and whoever ends the person's connections next tries again.
        if closing == Closing::Failed
            && let Err(error) = self.sessions.reopen(&session.user_id, &session.session).await
        {
            tracing::warn!(connection = %session.connection_id, error = chain(&error), "a connection that may be open is recorded as ended");
        }
        closing
    }

    /// Nobody speaks to a session's connection any more, and it is recorded as ended. What cannot be written falls to `$disconnect`, to
    /// the next push that finds nobody (410), or to TTL.
    pub async fn mark_closed(&self, session: &Session, now: Timestamp) {
        let ended = tokio::try_join!(
            self.connections.remove(&session.participant, &session.connection_id),
            self.sessions.end(&session.user_id, &session.session, now),
        );
        if let Err(error) = ended {
            tracing::warn!(connection = %session.connection_id, error = chain(&error), "a closed connection is still recorded");
        }
    }
}
