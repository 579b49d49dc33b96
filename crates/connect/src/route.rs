//! When a connection is made, then it is heard of: its row is written, and what its participant is called and reads is kept
//! for when nobody of them is connected.

use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::SEC_WEBSOCKET_PROTOCOL;
use shared::error::Error;
use shared::ids::Participant;
use shared::runtime::{Accepted, Caller, Lifecycle};
use shared::table::{Connections, Profile, Profiles, TableError};

/// The route and its doors.
pub struct Connect {
    pub connections: Connections,
    pub profiles: Profiles,
}

const SUBPROTOCOL: &str = "damso.v1";

impl Lifecycle for Connect {
    async fn happen(&self, caller: &Caller, headers: &HeaderMap) -> Result<Accepted, Error> {
        let connection = caller.listening_to(caller.participant());
        tokio::try_join!(self.connections.put(&connection), self.keep_profile(caller))?;
        let mut offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        let ours = offered.any(|list| list.split(',').any(|one| one.trim() == SUBPROTOCOL));
        Ok(Accepted { subprotocol: ours.then_some(SUBPROTOCOL) })
    }
}

impl Connect {
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
