//! When somebody connects, then the token says who they are, before a connection exists.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::ORIGIN;
use protocol::clock::Clock;
use serde_json::{Map, Value, json};
use shared::adapters::auth::{Identity, TokenError, issued_before};
use shared::adapters::dynamodb::{Guards, Sessions, TableError};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::runtime::Fatal;

use crate::credential::{Checks, Credential};

pub struct Authorizer {
    pub checks: Checks,
    pub allowed_origins: Vec<String>,
    pub guards: Guards,
    pub sessions: Sessions,
    pub clock: Clock,
}

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Proof(#[from] TokenError),
    #[error(transparent)]
    Table(#[from] TableError),
}

/// API Gateway answers the client with 401 to exactly this word, and with 500 to any other failure.
const UNAUTHORIZED: &str = "Unauthorized";

impl Authorizer {
    /// A policy: allowed with the identity that every later call of the connection is given, or denied (403).
    pub async fn authorize(&self, event: Event) -> Result<Value, Fatal> {
        let resource = event.method_arn.clone().unwrap_or_default();
        if !self.origin_allowed(&event.headers) {
            tracing::info!("a browser page of an origin that is not allowed was refused");
            return Ok(policy("nobody", "Deny", &resource, Map::new()));
        }
        match self.identity(&event).await {
            Ok(identity) => Ok(policy(identity.user_id.as_str(), "Allow", &resource, context(&identity))),
            Err(Refused::Proof(error @ TokenError::Unauthorized(_))) => {
                tracing::info!(reason = error.to_string(), "a connection was refused");
                Err(UNAUTHORIZED.into())
            }
            Err(Refused::Proof(error @ TokenError::Forbidden(_))) => {
                tracing::info!(reason = error.to_string(), "a connection was refused");
                Ok(policy("nobody", "Deny", &resource, Map::new()))
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "nobody can be checked");
                metric::count(Metric::Failed, 1);
                Err("what is shown could not be checked".into())
            }
        }
    }

    /// Who is calling. Whatever proves it must be newer than the person's last signing out everywhere.
    async fn identity(&self, event: &Event) -> Result<Identity, Refused> {
        let unauthorized = |why| Refused::Proof(TokenError::Unauthorized(why));
        let identity = match &self.checks {
            Checks::Proxy(proxy) => {
                let vouched = proxy.check(&event.headers).await?;
                if !self.guards.use_once(&vouched.signature, vouched.until).await? {
                    return Err(unauthorized("its signature was used before"));
                }
                vouched.identity
            }
            Checks::Tokens { tokens, in_query } => match Credential::of(event, *in_query) {
                None => return Err(unauthorized("there is none")),
                Some(Credential::Token(token)) => tokens.check(&token).await?,
                Some(Credential::Ticket(ticket)) => {
                    let identity = self.guards.spend_ticket(&ticket.digest(), self.clock.now()).await?;
                    identity.ok_or_else(|| unauthorized("its ticket is spent, too old or none"))?
                }
            },
        };
        if issued_before(identity.issued_at, self.sessions.signed_out_at(&identity.user_id).await?) {
            return Err(unauthorized("its person has signed out everywhere since it was issued"));
        }
        Ok(identity)
    }

    /// Browsers name the page's origin, and a page of somebody else's must not ride on a person's token. Others name none.
    fn origin_allowed(&self, headers: &HeaderMap) -> bool {
        match headers.get(ORIGIN) {
            None => true,
            Some(origin) => {
                self.allowed_origins.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
            }
        }
    }
}

/// What the routes are told about who is calling. API Gateway takes strings, numbers and booleans only, 8 KB in all.
fn context(identity: &Identity) -> Map<String, Value> {
    let mut context = Map::new();
    let mut tell = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            context.insert(name.to_owned(), Value::String(value));
        }
    };
    tell("participant", Some(identity.participant.to_string()));
    tell("user_id", Some(identity.user_id.to_string()));
    tell("name", identity.name.clone());
    tell("language", identity.language.as_ref().map(ToString::to_string));
    tell("iat", identity.issued_at.map(|at| at.seconds().to_string()));
    tell("exp", Some(identity.session_until.seconds().to_string()));
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
