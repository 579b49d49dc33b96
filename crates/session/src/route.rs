//! When a session is to last longer, to end everywhere, or to be joined by another connection of the same person.

use std::cell::RefCell;
use std::time::Duration;

use futures::{StreamExt, stream};
use protocol::clock::Clock;
use protocol::wire::replies::{SessionRefreshed, SignedOut, TicketCreated};
use protocol::wire::requests::RefreshSession;
use protocol::wire::{Code, Event, Refusal, SessionEvent};
use serde::Serialize;
use shared::adapters::auth::{Identity, Ticket, TokenError, Tokens, issued_before};
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::{self, Guards};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::connection_closer::ConnectionCloser;

use crate::request::Request;

pub struct Session {
    /// `None` where a gateway in front says who is calling, and not a token.
    pub tokens: Option<Tokens>,
    pub closer: ConnectionCloser,
    pub guards: Guards,
    pub clock: Clock,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    Refreshed(SessionRefreshed),
    SignedOut(SignedOut),
    Ticket(TicketCreated),
}

/// How long a ticket is good for: as long as a handshake may take.
const TICKET: Duration = Duration::from_secs(30);

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
    /// The connection lasts as long as the fresh token, if it is the same person's.
    async fn refresh(&self, caller: &Caller, fresh: &RefreshSession) -> Result<Reply, Error> {
        let Some(tokens) = &self.tokens else {
            return Err(Refusal::forbidden("here a gateway says how long a session lasts; connect again").into());
        };
        let identity = tokens.check(&fresh.token).await.map_err(|error| match error {
            TokenError::Unauthorized(_) | TokenError::Forbidden(_) => {
                Error::from(Refusal::forbidden(error.to_string()))
            }
            TokenError::Keys(_) => Error::Failed(Box::new(error)),
        })?;
        if identity.user_id != *caller.user_id() || identity.participant != *caller.participant() {
            return Err(Refusal::forbidden("the token is somebody else's; connect again with it").into());
        }
        if issued_before(identity.issued_at, self.closer.sessions.signed_out_at(caller.user_id()).await?) {
            return Err(Refusal::forbidden("the token was issued before you signed out everywhere").into());
        }
        let until = identity.session_until;
        let here = self.closer.connections.extend(caller.participant(), &caller.connection_id, until).await?;
        if !here {
            return Err(Refusal::new(Code::SessionExpired, "this connection has ended; connect again").into());
        }
        self.closer.sessions.extend(caller.user_id(), &caller.session_place(), until).await?;
        Ok(Reply::Refreshed(SessionRefreshed { session_until: until }))
    }

    /// Every connection of the person is told and closed, the caller's own last: closing it takes the way of the reply away, so what
    /// they are told is the answer.
    async fn sign_out(&self, caller: &Caller) -> Result<Reply, Error> {
        let now = self.clock.now();
        self.closer.sessions.sign_out(caller.user_id(), now).await?;
        let sessions = self.closer.sessions.recent(caller.user_id(), now).await?;
        // Also those whose token has ended: a refresh that is under way may be about to extend them.
        let lasting = sessions.into_iter().filter(|session| session.ended_at.is_none());
        let (own, others): (Vec<_>, Vec<_>) =
            lasting.partition(|session| session.connection_id == caller.connection_id);
        let told = Event::Session { event: SessionEvent::SignedOut }
            .to_frame()
            .map_err(|error| Error::Failed(Box::new(error)))?;
        let in_the_making = RefCell::new(Vec::new());
        let close = async |session| {
            let session: &dynamodb::Session = session;
            self.closer.push.send(&session.connection_id, &told).await;
            if self.closer.end(session, now).await {
                in_the_making.borrow_mut().push(session);
            }
        };
        stream::iter(&others).for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, close).await;
        stream::iter(&own).for_each(close).await;
        // The caller has their answer and does not wait for these.
        let insist = async |session| self.closer.retry_close(session).await;
        stream::iter(in_the_making.take()).for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, insist).await;
        Ok(Reply::SignedOut(SignedOut { closed: others.len() + own.len() }))
    }

    async fn ticket(&self, caller: &Caller) -> Result<Reply, Error> {
        if self.tokens.is_none() {
            let why = "here a gateway says who is calling, and no ticket lets anybody in; connect through it";
            return Err(Refusal::forbidden(why).into());
        }
        let now = self.clock.now();
        let identity = Identity {
            user_id: caller.user_id().clone(),
            participant: caller.participant().clone(),
            name: caller.sender.name.clone(),
            language: caller.language.clone(),
            // It is as old as what the person came with, so that it does not outlive their signing out.
            issued_at: caller.issued_at,
            session_until: caller.session_until,
        };
        let (ticket, until) = (Ticket::random(), now + TICKET);
        self.guards.put_ticket(&ticket.digest(), &identity, until).await?;
        Ok(Reply::Ticket(TicketCreated { ticket: ticket.text(), expires_at: until }))
    }
}
