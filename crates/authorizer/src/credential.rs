//! The credentials of a handshake, and where a client may put them.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use shared::adapters::auth::{Ticket, Tokens, TrustedProxy};

/// The kind of credentials that the stack accepts.
pub enum CredentialCheck {
    /// A token or a ticket.
    Tokens {
        tokens: Tokens,
        /// Whether a token may be in the query string. A ticket always may.
        in_query: bool,
    },
    /// Only headers signed by a trusted proxy.
    Proxy(TrustedProxy),
}

/// The credentials that a client sent, not verified yet.
pub enum Credential {
    Token(String),
    Ticket(Ticket),
}

impl Credential {
    /// Looks in the header, then the subprotocol, then the query string. The first that is present counts; if it is
    /// invalid, the others are not tried.
    pub fn of(event: &Event, in_query: bool) -> Option<Self> {
        let header = event.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let query = |name: &str| event.query_string_parameters.first(name).map(str::to_owned);
        let token = bearer.or_else(|| in_subprotocol(&event.headers));
        let token = token.or_else(|| in_query.then(|| query("token")).flatten());
        token.map(Self::Token).or_else(|| query("ticket").and_then(|text| Ticket::parse(&text)).map(Self::Ticket))
    }
}

fn in_subprotocol(headers: &HeaderMap) -> Option<String> {
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|list| list.split(',')).find_map(|one| one.trim().strip_prefix("bearer.")).map(str::to_owned)
}
