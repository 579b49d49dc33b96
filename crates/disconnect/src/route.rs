//! When a connection has ended, then its rows go. API Gateway calls this at best once; whatever it misses falls to the next
//! push that finds nobody (410), or to TTL.

use aws_lambda_events::http::HeaderMap;
use shared::error::Error;
use shared::runtime::{Accepted, Caller, Lifecycle};
use shared::table::Connections;

/// The route and its door.
pub struct Disconnect {
    pub connections: Connections,
}

impl Lifecycle for Disconnect {
    async fn happen(&self, caller: &Caller, _headers: &HeaderMap) -> Result<Accepted, Error> {
        self.connections.remove(caller.participant(), &caller.connection_id).await?;
        Ok(Accepted::default())
    }
}
