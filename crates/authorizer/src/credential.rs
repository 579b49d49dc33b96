//! What a client shows to prove who it is, and where it stands.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use shared::adapters::auth::{Ticket, Tokens, TrustedProxy};

/// What is taken as proof.
pub enum Checks {
    /// A token, or a ticket.
    Tokens {
        /// Checks them.
        tokens: Tokens,
        /// Whether a token may stand in the query string. A ticket always may.
        in_query: bool,
    },
    /// Headers that a gateway in front has signed, and nothing else.
    Proxy(TrustedProxy),
}

/// What a client showed.
pub enum Credential {
    /// A token, nothing about it proved.
    Token(String),
    /// A ticket, nothing known of it.
    Ticket(Ticket),
}

impl Credential {
    /// The header, then the subprotocol, then the query string: the first that is there counts, and no other is tried should it be refused.
    pub fn of(event: &Event, in_query: bool) -> Option<Self> {
        let header = event.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let query = |name: &str| event.query_string_parameters.first(name).map(str::to_owned);
        let token = bearer.or_else(|| in_subprotocol(&event.headers));
        let token = token.or_else(|| in_query.then(|| query("token")).flatten());
        token.map(Self::Token).or_else(|| query("ticket").and_then(|text| Ticket::shown(&text)).map(Self::Ticket))
    }
}

fn in_subprotocol(headers: &HeaderMap) -> Option<String> {
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|list| list.split(',')).find_map(|one| one.trim().strip_prefix("bearer.")).map(str::to_owned)
}
