//! Authenticates a handshake before the connection exists.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::ORIGIN;
use protocol::clock::Clock;
use serde_json::{Map, Value, json};
use shared::adapters::auth::{Identity, TokenError, issued_before};
use shared::adapters::dynamodb::{Nonces, Sessions, TableError, Tickets};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::runtime::Fatal;

use crate::credential::{Credential, CredentialCheck};

pub struct Authorizer {
    pub checks: CredentialCheck,
    pub allowed_origins: Vec<String>,
    pub tickets: Tickets,
    pub nonces: Nonces,
    pub sessions: Sessions,
    pub clock: Clock,
}

/// Why a handshake was not allowed.
#[derive(Debug, thiserror::Error)]
enum AuthorizeError {
    #[error(transparent)]
    Credentials(#[from] TokenError),
    #[error(transparent)]
    Table(#[from] TableError),
}

/// For exactly this error API Gateway answers the client with 401, for any other with 500.
const UNAUTHORIZED: &str = "Unauthorized";

impl Authorizer {
    /// Returns a policy: one that allows the connection, with the identity for all its later requests, or one that
    /// denies it (403).
    pub async fn authorize(&self, event: Event) -> Result<Value, Fatal> {
        let resource = event.method_arn.clone().unwrap_or_default();
        if !self.origin_allowed(&event.headers) {
            tracing::info!("refused a connection from an origin that is not allowed");
            return Ok(policy("nobody", "Deny", &resource, Map::new()));
        }
        match self.identity(&event).await {
            Ok(identity) => Ok(policy(identity.user_id.as_str(), "Allow", &resource, context(&identity))),
            Err(AuthorizeError::Credentials(error @ TokenError::Unauthorized(_))) => {
                tracing::info!(reason = error.to_string(), "refused a connection");
                Err(UNAUTHORIZED.into())
            }
            Err(AuthorizeError::Credentials(error @ TokenError::Forbidden(_))) => {
                tracing::info!(reason = error.to_string(), "refused a connection");
                Ok(policy("nobody", "Deny", &resource, Map::new()))
            }
            Err(error) => {
                // API Gateway's access log has the same id, and the connection's.
                let api_request_id = event.request_context.request_id;
                tracing::error!(api_request_id, error = chain(&error), "failed to authenticate a connection");
                metric::count(Metric::Failed, 1);
                Err("failed to check the credentials".into())
            }
        }
    }

    /// The caller. Their credentials must have been issued after they last signed out everywhere.
    async fn identity(&self, event: &Event) -> Result<Identity, AuthorizeError> {
        let unauthorized = |problem| AuthorizeError::Credentials(TokenError::Unauthorized(problem));
        let identity = match &self.checks {
            CredentialCheck::Proxy(proxy) => {
                let proven = proxy.check(&event.headers).await?;
                if !self.nonces.claim(&proven.signature, proven.until).await? {
                    return Err(unauthorized("proxy signature was already used"));
                }
                proven.identity
            }
            CredentialCheck::Tokens { tokens, in_query } => match Credential::of(event, *in_query) {
                None => return Err(unauthorized("none were sent")),
                Some(Credential::Token(token)) => tokens.check(&token).await?,
                Some(Credential::Ticket(ticket)) => {
                    let identity = self.tickets.redeem(&ticket.digest(), self.clock.now()).await?;
                    identity.ok_or_else(|| unauthorized("ticket is unknown, expired or already used"))?
                }
            },
        };
        if issued_before(identity.issued_at, self.sessions.signed_out_at(&identity.user_id).await?) {
            return Err(unauthorized("issued before the user signed out everywhere"));
        }
        Ok(identity)
    }

    /// Browsers send the origin of the page, so foreign pages cannot use a visitor's credentials. Other clients send
    /// none.
    fn origin_allowed(&self, headers: &HeaderMap) -> bool {
        match headers.get(ORIGIN) {
            None => true,
            Some(origin) => {
                self.allowed_origins.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
            }
        }
    }
}

/// The caller's identity for the routes. API Gateway accepts only strings, numbers and booleans, 8 KB in all.
fn context(identity: &Identity) -> Map<String, Value> {
    let mut context = Map::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            context.insert(name.to_owned(), Value::String(value));
        }
    };
    set("participant", Some(identity.participant.to_string()));
    set("user_id", Some(identity.user_id.to_string()));
    set("name", identity.name.clone());
    set("language", identity.language.as_ref().map(ToString::to_string));
    set("iat", identity.issued_at.map(|at| at.seconds().to_string()));
    set("exp", Some(identity.session_until.seconds().to_string()));
    context
}

fn policy(principal: &str, effect: &str, resource: &str, context: Map<String, Value>) -> Value {
    let statement = json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource});
    json!({
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    })
}
