//! When a connection has ended, then its rows go, and the record of the session says when. API Gateway calls this at best once; whatever it misses falls to the next
//! push that finds nobody (410), or to TTL.

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
        let session = caller.session_place();
        tokio::try_join!(
            self.connections.remove(caller.participant(), &caller.connection_id),
            self.sessions.end(caller.user_id(), &session, self.clock.now()),
        )?;
        Ok(Accepted::default())
    }
}
