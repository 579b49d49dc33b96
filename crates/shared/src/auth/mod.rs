//! Who a token says is calling. The configured issuer chooses key and algorithm, never the token's header.

mod keys;

pub use keys::{KeySet, Keys};

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::config::TokenConfig;
use crate::ids::{HospitalId, Participant, UserId};
use crate::language::Language;

/// What a valid token says.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub user_id: UserId,
    /// Whom they speak as.
    pub participant: Participant,
    /// What they are called.
    pub name: Option<String>,
    /// What they read.
    pub language: Option<Language>,
    /// When the token ends.
    pub session_until: Timestamp,
}

/// Names of people are never printed.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} as {})", self.user_id, self.participant)
    }
}

/// Why a token is not taken. The texts never hold what the token said.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It proves nothing: answered with 401.
    #[error("the token is not valid: {0}")]
    Unauthorized(&'static str),
    /// It is valid, but not for this: answered with 403.
    #[error("the token is valid, but {0}")]
    Forbidden(&'static str),
    /// The keys could not be had: answered with 500.
    #[error("the keys of the issuer could not be had")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Checks tokens.
#[derive(Debug)]
pub struct Tokens {
    config: TokenConfig,
    keys: Keys,
}

impl Tokens {
    /// Clocks differ a little, so `nbf` may be ahead of ours by this much. `exp` counts to the second, as it does for every
    /// later request of the connection.
    const LEEWAY_SECONDS: u64 = 5;
    /// API Gateway takes at most 8 KB from an authorizer; a token that names nobody in 4 KB is none of ours.
    const MAX_BYTES: usize = 4096;
    /// The most characters of a name that is shown.
    const MAX_NAME: usize = 100;

    /// With the issuer's settings and keys.
    pub fn new(config: TokenConfig, keys: Keys) -> Self {
        Self { config, keys }
    }

    /// Who the token says is calling.
    pub async fn check(&self, token: &str) -> Result<Identity, TokenError> {
        if token.len() > Self::MAX_BYTES {
            return Err(TokenError::Unauthorized("it is longer than 4 KB"));
        }
        let (key, algorithm) = self.keys.key_for(token).await?;
        let mut validation = jsonwebtoken::Validation::new(algorithm);
        validation.leeway = Self::LEEWAY_SECONDS;
        validation.validate_nbf = true;
        // Cognito's access tokens have a `client_id` in the place of `aud`; both are looked at below.
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        if let Some(issuer) = &self.config.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|error| TokenError::Unauthorized(describe(error.kind())))?
            .claims;
        self.identity(&claims)
    }

    fn identity(&self, claims: &Map<String, Value>) -> Result<Identity, TokenError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        if let Some(audience) = &self.config.audience {
            let named = |value: &Value| value.as_str() == Some(audience);
            let in_aud = claims
                .get("aud")
                .is_some_and(|aud| named(aud) || aud.as_array().is_some_and(|list| list.iter().any(named)));
            if !in_aud && !claims.get("client_id").is_some_and(named) {
                return Err(TokenError::Unauthorized("it is meant for another audience"));
            }
        }
        let exp = claims
            .get("exp")
            .and_then(Value::as_u64)
            .ok_or(TokenError::Unauthorized("its `exp` is not a whole number"))?;
        if exp <= jsonwebtoken::get_current_timestamp() {
            return Err(TokenError::Unauthorized("it has expired"));
        }
        let sub = text("sub").ok_or(TokenError::Unauthorized("it has no `sub`"))?;
        let user_id: UserId =
            sub.parse().map_err(|_| TokenError::Forbidden("its `sub` is not an id that this service takes"))?;
        let names = &self.config.claims;
        let participant = match text(&names.user_type) {
            None | Some("user") => Participant::User(user_id.clone()),
            Some("hospital") => {
                let id = text(&names.hospital_id).ok_or(TokenError::Forbidden("it names no hospital"))?;
                let id: HospitalId = id
                    .parse()
                    .map_err(|_| TokenError::Forbidden("its hospital is not an id that this service takes"))?;
                Participant::Hospital(id)
            }
            Some(_) => return Err(TokenError::Forbidden("its user type is neither `user` nor `hospital`")),
        };
        Ok(Identity {
            user_id,
            participant,
            name: text(&names.name).map(|name| name.trim().chars().take(Self::MAX_NAME).collect()),
            // A language that is no language tag is as good as none.
            language: text(&names.language).and_then(|tag| tag.parse().ok()),
            session_until: Timestamp::from_seconds(exp),
        })
    }
}

/// The kind of mistake, without anything of the token.
fn describe(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidSignature => "its signature does not match",
        ErrorKind::InvalidAlgorithm => "its algorithm is not the issuer's",
        ErrorKind::InvalidIssuer => "it is of another issuer",
        ErrorKind::MissingRequiredClaim(_) => "a required claim is missing",
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests;
