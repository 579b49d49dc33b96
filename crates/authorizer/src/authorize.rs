//! When somebody connects, then the token says who they are, before a connection exists.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::{AUTHORIZATION, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use serde_json::{Map, Value, json};
use shared::auth::{Identity, TokenError, Tokens};
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::runtime::Fatal;

/// The authorizer and its settings.
pub struct Authorizer {
    pub tokens: Tokens,
    pub in_query: bool,
    pub allowed_origins: Vec<String>,
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
        let Some(token) = self.token(&event) else {
            tracing::info!("a connection without a token was refused");
            return Err(UNAUTHORIZED.into());
        };
        match self.tokens.check(&token).await {
            Ok(identity) => Ok(policy(identity.user_id.as_str(), "Allow", &resource, context(&identity))),
            Err(error @ TokenError::Unauthorized(_)) => {
                tracing::info!(reason = error.to_string(), "a token was refused");
                Err(UNAUTHORIZED.into())
            }
            Err(error @ TokenError::Forbidden(_)) => {
                tracing::info!(reason = error.to_string(), "a token was refused");
                Ok(policy("nobody", "Deny", &resource, Map::new()))
            }
            Err(error @ TokenError::Keys(_)) => {
                tracing::error!(error = chain(&error), "no token can be checked");
                metric::count(Metric::Failed, 1);
                Err("the keys of the issuer could not be had".into())
            }
        }
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

    /// The header, then the subprotocol, then (where it is allowed) the query string.
    fn token(&self, event: &Event) -> Option<String> {
        let header = event.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let offered = event.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        let subprotocol =
            || offered.flat_map(|list| list.split(',')).find_map(|one| one.trim().strip_prefix("bearer."));
        let query = || self.in_query.then(|| event.query_string_parameters.first("token")).flatten();
        bearer.or_else(|| subprotocol().map(str::to_owned)).or_else(|| query().map(str::to_owned))
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
