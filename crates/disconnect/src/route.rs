//! Removes a closed connection's rows and records when its session ended. API Gateway calls `$disconnect` at most once;
//! what it misses is removed by the next push that fails with 410, or by TTL.

use protocol::clock::Clock;
use shared::adapters::dynamodb::{Connections, Sessions};
use shared::error::Error;
use shared::runtime::{Accepted, Caller, Handshake, Lifecycle};

pub struct Disconnect {
    pub connections: Connections,
    pub sessions: Sessions,
    pub clock: Clock,
}

impl Lifecycle for Disconnect {
    async fn handle(&self, caller: &Caller, _handshake: Handshake<'_>) -> Result<Accepted, Error> {
        let session = caller.session_key();
        tokio::try_join!(
            self.connections.remove(caller.participant(), &caller.connection_id),
            self.sessions.end(caller.user_id(), &session, self.clock.now()),
        )?;
        Ok(Accepted::default())
    }
}
