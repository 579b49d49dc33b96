//! When a connection is made, then it is heard of: its row is written, what its participant is called and reads is kept for when
//! nobody of them is connected, and it is recorded from where the person came.

use std::time::Duration;

use aws_lambda_events::http::header::SEC_WEBSOCKET_PROTOCOL;
use shared::auth::issued_before;
use shared::clock::Clock;
use shared::error::Error;
use shared::hangup::Hangup;
use shared::ids::Participant;
use shared::runtime::{Accepted, Caller, Handshake, Lifecycle};
use shared::table::{Connections, Profile, Profiles, Session, Sessions, TableError};
use shared::wire::Refusal;

/// The route and its doors.
pub struct Connect {
    pub connections: Connections,
    pub profiles: Profiles,
    pub sessions: Sessions,
    pub hangup: Hangup,
    /// How many connections a person may have at once.
    pub max_connections: usize,
    /// How often a person may connect within a minute.
    pub connects_per_minute: usize,
    pub clock: Clock,
}

const SUBPROTOCOL: &str = "damso.v1";

impl Lifecycle for Connect {
    async fn happen(&self, caller: &Caller, handshake: Handshake<'_>) -> Result<Accepted, Error> {
        let surplus = self.admitted(caller).await?;
        let (connection, session) = (caller.listening_to(caller.participant()), caller.session(handshake));
        tokio::try_join!(self.connections.put(&connection), self.keep_profile(caller), self.sessions.begin(&session),)?;
        // Read after this connection can be found: either who signs out everywhere finds it, or it finds that they did.
        if issued_before(caller.issued_at, self.sessions.signed_out_at(caller.user_id()).await?) {
            self.hangup.end(&session, self.clock.now()).await;
            return Err(Refusal::forbidden("you have signed out everywhere since your token was issued").into());
        }
        for session in &surplus {
            self.hangup.end(session, self.clock.now()).await;
        }
        let mut offered =
            handshake.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        let ours = offered.any(|list| list.split(',').any(|one| one.trim() == SUBPROTOCOL));
        Ok(Accepted { subprotocol: ours.then_some(SUBPROTOCOL) })
    }
}

/// The time in which attempts to connect are counted.
const MINUTE: Duration = Duration::from_secs(60);

impl Connect {
    /// Whether the person may connect once more: what they have to give up for it, oldest last. A new connection is worth more than an
    /// old one, of which nobody may have heard that it ended.
    async fn admitted(&self, caller: &Caller) -> Result<Vec<Session>, Error> {
        let now = self.clock.now();
        let recent = self.sessions.recent(caller.user_id(), now).await?;
        let within = recent.iter().filter(|session| now.since(session.connected_at) < MINUTE);
        let within: Vec<_> = within.map(|session| session.connected_at).collect();
        if within.len() >= self.connects_per_minute {
            let wait = MINUTE.saturating_sub(now.since(*within.last().unwrap_or(&now)));
            return Err(Refusal::rate_limited("you are connecting too often", wait).into());
        }
        let lasting = recent.into_iter().filter(|session| session.lasts(now));
        Ok(lasting.skip(self.max_connections.saturating_sub(1)).collect())
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
