//! Extends a session, ends all sessions of a user, or creates a ticket for another connection.

use std::cell::RefCell;
use std::time::Duration;

use futures::{StreamExt, stream};
use protocol::clock::Clock;
use protocol::language::Language;
use protocol::wire::replies::{SessionRefreshed, SignedOut, TicketCreated};
use protocol::wire::requests::RefreshSession;
use protocol::wire::{Code, Refusal, SessionEvent};
use serde::Serialize;
use shared::adapters::auth::{Identity, Ticket, TokenError, Tokens, issued_before};
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::{self, Profiles, Tickets};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::connection_closer::ConnectionCloser;

use crate::request::Request;

pub struct Session {
    /// `None` if a trusted proxy authenticates callers.
    pub tokens: Option<Tokens>,
    pub closer: ConnectionCloser,
    pub profiles: Profiles,
    pub tickets: Tickets,
    pub clock: Clock,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    Refreshed(SessionRefreshed),
    SignedOut(SignedOut),
    Ticket(TicketCreated),
}

/// How long a ticket is valid: as long as a handshake may take.
const TICKET_LIFETIME: Duration = Duration::from_secs(30);

impl Route for Session {
    type Request = Request;
    type Reply = Reply;

    async fn handle(&self, caller: &Caller, request: Request) -> Result<Reply, Error> {
        match request {
            Request::Refresh(fresh) => self.refresh(caller, &fresh).await,
            Request::SignOut => self.sign_out(caller).await,
            Request::Ticket => self.ticket(caller).await,
        }
    }
}

impl Session {
    /// Extends the connection to the expiry of a fresh token of the same person, whose name and language may have
    /// changed. Rooms follow when they are opened.
    async fn refresh(&self, caller: &Caller, fresh: &RefreshSession) -> Result<Reply, Error> {
        let Some(tokens) = &self.tokens else {
            return Err(
                Refusal::forbidden("sessions cannot be refreshed behind a proxy; connect again through it").into()
            );
        };
        let identity = tokens.check(&fresh.token).await.map_err(|error| match error {
            TokenError::Unauthorized(_) | TokenError::Forbidden(_) => {
                Error::from(Refusal::forbidden(error.to_string()))
            }
            TokenError::Keys(_) => Error::Failed(Box::new(error)),
        })?;
        if identity.user_id != *caller.user_id() || identity.participant != *caller.participant() {
            return Err(Refusal::forbidden("token belongs to another user; open a new connection with it").into());
        }
        if issued_before(identity.issued_at, self.closer.sessions.signed_out_at(caller.user_id()).await?) {
            return Err(Refusal::forbidden("token was issued before you signed out everywhere; sign in again").into());
        }
        let until = identity.session_until;
        let name = identity.name.as_deref();
        let profile = self.profiles.record(caller.participant(), name, identity.language.as_ref()).await?;
        // What a person has chosen by `setLanguage` stays until a token comes with another language.
        let has_changed = |language: &Language| caller.language.as_ref() != Some(language);
        let language = profile.language.or(identity.language.filter(has_changed));
        let connections = &self.closer.connections;
        let is_open =
            connections.extend(caller.participant(), &caller.connection_id, until, name, language.as_ref()).await?;
        if !is_open {
            return Err(Refusal::new(Code::SessionExpired, "connection has ended; connect again").into());
        }
        self.closer.sessions.extend(caller.user_id(), &caller.session_key(), until).await?;
        Ok(Reply::Refreshed(SessionRefreshed { session_until: until }))
    }

    /// Notifies and closes every connection of the person. The caller's own comes last because no reply can be sent on
    /// a closed connection; its notification serves as the reply.
    async fn sign_out(&self, caller: &Caller) -> Result<Reply, Error> {
        let now = self.clock.now();
        self.closer.sessions.sign_out(caller.user_id(), now).await?;
        let sessions = self.closer.sessions.recent(caller.user_id(), now).await?;
        // Include sessions whose token has expired: a refresh in progress may still extend them.
        let open = sessions.into_iter().filter(|session| session.ended_at.is_none());
        let (own, others): (Vec<_>, Vec<_>) = open.partition(|session| session.connection_id == caller.connection_id);
        let handshaking = RefCell::new(Vec::new());
        let close = async |session| {
            let session: &dynamodb::Session = session;
            self.closer.notify(session, SessionEvent::SignedOut).await;
            if self.closer.end(session, now).await {
                handshaking.borrow_mut().push(session);
            }
        };
        stream::iter(&others).for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, close).await;
        stream::iter(&own).for_each(close).await;
        // The caller already has the reply and does not wait for these.
        let retry = async |session| self.closer.retry_close(session).await;
        stream::iter(handshaking.take()).for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, retry).await;
        Ok(Reply::SignedOut(SignedOut { closed: others.len() + own.len() }))
    }

    async fn ticket(&self, caller: &Caller) -> Result<Reply, Error> {
        if self.tokens.is_none() {
            let message = "tickets are not accepted behind a proxy; connect through it instead";
            return Err(Refusal::forbidden(message).into());
        }
        let now = self.clock.now();
        let identity = Identity {
            user_id: caller.user_id().clone(),
            participant: caller.participant().clone(),
            name: caller.sender.name.clone(),
            language: caller.language.clone(),
            // The ticket counts as issued when the caller's own credentials were, so that signing out revokes it too.
            issued_at: caller.issued_at,
            session_until: caller.session_until,
        };
        let ticket = Ticket::random();
        let until = now + TICKET_LIFETIME;
        self.tickets.put(&ticket.digest(), &identity, until).await?;
        Ok(Reply::Ticket(TicketCreated { ticket: ticket.text(), expires_at: until }))
    }
}
