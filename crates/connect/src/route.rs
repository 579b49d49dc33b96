//! When a connection is made, then it is heard of: its row is written, what its participant is called and reads is kept for when
//! nobody of them is connected, and it is recorded from where the person came.

use aws_lambda_events::http::header::SEC_WEBSOCKET_PROTOCOL;
use futures::{StreamExt, stream};
use protocol::clock::Clock;
use protocol::ids::Participant;
use protocol::wire::Refusal;
use shared::adapters::auth::issued_before;
use shared::adapters::dynamodb::{Connections, Guards, Profile, Profiles, Sessions, TableError};
use shared::adapters::push::Push;
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
    pub guards: Guards,
    pub clock: Clock,
}

const SUBPROTOCOL: &str = "damso.v1";

impl Lifecycle for Connect {
    async fn warm_up(&self) {
        self.connections.warm_up().await;
    }

    async fn handle(&self, caller: &Caller, handshake: Handshake<'_>) -> Result<Accepted, Error> {
        if let Err(wait) = self.guards.take(caller.user_id(), "connect", 1, self.limits.rate, self.clock.now()).await? {
            return Err(Refusal::rate_limited("you are connecting too often", wait).into());
        }
        let (connection, session) = (caller.listening_to(caller.participant()), caller.session(handshake));
        tokio::try_join!(self.connections.put(&connection), self.keep_profile(caller), self.sessions.begin(&session))?;
        let is_surplus = self.give_up_surplus(caller).await?;
        // Read last of all: either who ends the person's connections finds this one, or it finds that they did.
        let status = self.sessions.status(caller.user_id(), &session.session).await?;
        if is_surplus || !status.lasts || issued_before(caller.issued_at, status.signed_out_at) {
            self.closer.mark_closed(&session, self.clock.now()).await;
            return Err(Refusal::forbidden("this connection was ended while it was being made").into());
        }
        let mut offered =
            handshake.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        let ours = offered.any(|list| list.split(',').any(|one| one.trim() == SUBPROTOCOL));
        Ok(Accepted { subprotocol: ours.then_some(SUBPROTOCOL) })
    }
}

impl Connect {
    /// Ends what the person has too many of, the oldest; says whether this one is among them, as may be where several are made at
    /// once: it counts, so that none of them is overlooked. A new connection is worth more than an old one, of which nobody may have
    /// heard that it ended.
    async fn give_up_surplus(&self, caller: &Caller) -> Result<bool, TableError> {
        let now = self.clock.now();
        let recent = self.sessions.recent(caller.user_id(), now).await?;
        let surplus = recent.iter().filter(|session| session.ended_at.is_none()).skip(self.limits.max_connections);
        let (own, others): (Vec<_>, Vec<_>) =
            surplus.partition(|session| session.connection_id == caller.connection_id);
        let end = async |session| {
            if self.closer.end(session, now).await {
                self.closer.retry_close(session).await;
            }
        };
        stream::iter(others).for_each_concurrent(Push::AT_ONCE, end).await;
        Ok(!own.is_empty())
    }

    async fn keep_profile(&self, caller: &Caller) -> Result<(), TableError> {
        let known = self.profiles.get(caller.participant()).await?;
        let known_language = known.as_ref().and_then(|profile| profile.language.clone());
        let profile = Profile {
            participant: caller.participant().clone(),
            // Many staff speak as one hospital, and none of them lends it a name.
            name: match caller.participant() {
                Participant::User(_) => caller.sender.name.clone(),
                Participant::Hospital(_) => None,
            },
            language: caller.language.clone().or(known_language),
        };
        if known.as_ref() == Some(&profile) { Ok(()) } else { self.profiles.put(&profile).await }
    }
}
