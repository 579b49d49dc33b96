//! The caller of a route, and the handshake of its connection.

use std::collections::BTreeSet;
use std::fmt;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequestContext;
use aws_lambda_events::http::HeaderMap;
use protocol::chat::Sender;
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, Participant, UserId};
use protocol::language::Language;
use serde_json::Value;

use crate::adapters::dynamodb::{Connection, Session};

/// The caller, as the authorizer identified them when the connection was made.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person, the participant they speak as, and their name.
    pub sender: Sender,
    /// The language they read.
    pub language: Option<Language>,
    pub connection_id: ConnectionId,
    pub connected_at: Timestamp,
    /// When their token was issued, if it says so.
    pub issued_at: Option<Timestamp>,
    /// When their token expires.
    pub session_until: Timestamp,
}

impl Caller {
    pub fn participant(&self) -> &Participant {
        &self.sender.participant
    }

    pub fn user_id(&self) -> &UserId {
        &self.sender.user_id
    }

    /// The row that makes this connection part of an audience: a participant, or a room that it joined.
    pub fn listening_to(&self, audience: &impl fmt::Display) -> Connection {
        Connection {
            audience: audience.to_string(),
            connection_id: self.connection_id.clone(),
            participant: self.sender.participant.clone(),
            user_id: self.sender.user_id.clone(),
            name: self.sender.name.clone(),
            language: self.language.clone(),
            rooms: BTreeSet::new(),
            current_room: None,
            connected_at: self.connected_at,
            session_until: self.session_until,
            expires_at: self.connected_at.seconds() + Connection::KEPT_SECONDS,
        }
    }

    /// The sort key of this connection's session.
    pub fn session_key(&self) -> String {
        Session::sort_key(self.connected_at, self.connection_id.as_str())
    }

    /// The record of this connection's session.
    pub fn session(&self, handshake: Handshake<'_>) -> Session {
        Session {
            user_id: self.user_id().clone(),
            session: self.session_key(),
            connection_id: self.connection_id.clone(),
            participant: self.participant().clone(),
            address: handshake.address.map(str::to_owned),
            user_agent: handshake.user_agent.map(|agent| agent.chars().take(Session::MAX_USER_AGENT).collect()),
            connected_at: self.connected_at,
            session_until: self.session_until,
            ended_at: None,
        }
    }

    /// Reads the authorizer's context, which API Gateway passes on. Numbers may arrive as strings.
    pub(super) fn from_context(context: &ApiGatewayWebsocketProxyRequestContext) -> Option<Self> {
        let text = |name: &str| match context.authorizer.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Some(Self {
            sender: Sender {
                participant: text("participant")?.parse().ok()?,
                user_id: text("user_id")?.parse().ok()?,
                name: text("name"),
            },
            language: text("language").and_then(|tag| tag.parse().ok()),
            connection_id: ConnectionId::new(context.connection_id.clone()?),
            connected_at: Timestamp::from_millis(context.connected_at.try_into().ok()?),
            issued_at: text("iat").and_then(|seconds| seconds.parse().ok()).map(Timestamp::from_seconds),
            session_until: Timestamp::from_seconds(text("exp")?.parse().ok()?),
        })
    }
}

/// How a client connected.
#[derive(Debug, Clone, Copy)]
pub struct Handshake<'a> {
    pub headers: &'a HeaderMap,
    /// Its IP address, as API Gateway saw it.
    pub address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
}
