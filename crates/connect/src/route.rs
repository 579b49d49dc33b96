//! When a connection is made, its row is written, so that it is pushed to; its participant's name and language are kept
//! for when none of them is connected; and the person's session is recorded.

use aws_lambda_events::http::header::SEC_WEBSOCKET_PROTOCOL;
use futures::{StreamExt, stream};
use protocol::clock::Clock;
use protocol::wire::{Refusal, SessionEvent};
use shared::adapters::auth::issued_before;
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::{Connections, Decision, Profiles, RateLimits, Sessions, TableError};
use shared::config::ConnectionLimits;
use shared::error::Error;
use shared::runtime::{Accepted, Caller, Handshake, Lifecycle};
use shared::services::connection_closer::ConnectionCloser;

pub struct Connect {
    pub connections: Connections,
    pub profiles: Profiles,
    pub sessions: Sessions,
    pub closer: ConnectionCloser,
    pub limits: ConnectionLimits,
    pub rate_limits: RateLimits,
    pub clock: Clock,
}

const SUBPROTOCOL: &str = "damso.v1";

impl Lifecycle for Connect {
    async fn warm_up(&self) {
        self.profiles.warm_up().await;
    }

    async fn handle(&self, caller: &Caller, handshake: Handshake<'_>) -> Result<Accepted, Error> {
        let now = self.clock.now();
        let decision = self.rate_limits.take(caller.user_id(), "connect", 1, self.limits.rate, now).await?;
        if let Decision::Limited { retry_after } = decision {
            return Err(Refusal::rate_limited("too many connection attempts; try again later", retry_after).into());
        }
        let session = caller.session(handshake);
        let name = caller.sender.name.as_deref();
        let recorded = self.profiles.record(caller.participant(), name, caller.language.as_ref());
        let (profile, ()) = tokio::try_join!(recorded, self.sessions.begin(&session))?;
        let mut connection = caller.listening_to(caller.participant());
        connection.language = profile.language.or(connection.language);
        self.connections.put(&connection).await?;
        let is_surplus = self.close_surplus(caller).await?;
        // Read last of all: whoever ends the person's connections at this moment either finds this one, or is found
        // here.
        let status = self.sessions.status(caller.user_id(), &session.session).await?;
        if is_surplus || !status.is_open || issued_before(caller.issued_at, status.signed_out_at) {
            self.closer.mark_closed(&session, self.clock.now()).await;
            return Err(Refusal::forbidden("connection was closed during the handshake").into());
        }
        let offers = handshake.headers.get_all(SEC_WEBSOCKET_PROTOCOL);
        let is_offered = offers
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .any(|offer| offer.trim() == SUBPROTOCOL);
        Ok(Accepted { subprotocol: is_offered.then_some(SUBPROTOCOL) })
    }
}

impl Connect {
    /// Closes the person's oldest connections beyond the limit, and returns whether this one is among them, which
    /// happens where several are made at the same time: it counts too, so that none is overlooked. A new connection is
    /// worth more than an old one, which may have ended unnoticed.
    async fn close_surplus(&self, caller: &Caller) -> Result<bool, TableError> {
        let now = self.clock.now();
        let recent = self.sessions.recent(caller.user_id(), now).await?;
        let open = recent.iter().filter(|session| session.ended_at.is_none());
        let surplus = open.skip(self.limits.max_connections);
        let (own, others): (Vec<_>, Vec<_>) =
            surplus.partition(|session| session.connection_id == caller.connection_id);
        let end = async |session| {
            self.closer.notify(session, SessionEvent::Evicted).await;
            if self.closer.end(session, now).await {
                self.closer.retry_close(session).await;
            }
        };
        stream::iter(others).for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, end).await;
        Ok(!own.is_empty())
    }
}
