//! Token issuers: their keys, algorithms and audiences, and how their claims become an [`Identity`].

use serde::Deserialize;

use super::claims::Claims;
use super::{Identity, TokenError};
use protocol::appearance::is_visible;
use protocol::chat::preview;
use protocol::clock::Timestamp;
use protocol::ids::{HospitalId, Participant, UserId};
use protocol::language::Language;

/// One issuer of the setting `TokenIssuers`. The default issuer signs with the stack's own secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` of its tokens. If absent, the issuer accepts tokens without `iss` or with one that no other issuer
    /// has.
    pub issuer: Option<String>,
    /// The URL of its keys (JWKS, RFC 7517). If absent: HS256 with the value of the secret `TokenSecret`.
    pub jwks: Option<String>,
    /// The signature algorithm. If absent: `RS256` with published keys, `HS256` with the secret.
    pub algorithm: Option<Algorithm>,
    /// Accepted values of the token's `aud`, or of `client_id` if it has no `aud`, as Cognito's access tokens. If
    /// empty: not checked.
    pub audience: Vec<String>,
    /// The required `token_use`, Cognito's `access` or `id`. If absent: not checked.
    pub token_use: Option<String>,
    /// The prefix of its users' ids, followed by `~_`, so that two issuers may both have a user "42". At most one
    /// issuer may have no prefix.
    pub prefix: String,
    /// The claims for a user's name and language.
    pub claims: ClaimNames,
    /// How a user's hospital is determined. If absent: by `user_type` and `hospital_id` with the secret, not at all
    /// with published keys.
    pub hospital: Option<HospitalRole>,
}

/// A signature algorithm, set by the issuer's configuration and never by the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256 and a shared secret of at least 256 bits.
    HS256,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// The names of an issuer's claims.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// The user's name; by default `name`.
    pub name: String,
    /// The user's language; by default `language`.
    pub language: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { name: "name".to_owned(), language: "language".to_owned() }
    }
}

/// How an issuer's tokens tell which hospital a user belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase", deny_unknown_fields)]
pub enum HospitalRole {
    /// Not at all: none of its users belong to a hospital.
    Nothing {},
    /// By two claims that only the issuer's operator can set. Do not use attributes that users can change themselves.
    Claims {
        /// The claim that is `hospital` or `user`.
        #[serde(default = "user_type")]
        user_type: String,
        /// The claim with the hospital's id.
        #[serde(default = "hospital_id")]
        hospital_id: String,
    },
    /// By a group that the pool's operator assigns, such as Cognito's `cognito:groups`: members of `hospital-h9` speak
    /// for `h9`.
    Group {
        /// The claim that lists a user's groups.
        claim: String,
        /// The prefix of hospital groups.
        prefix: String,
    },
}

fn user_type() -> String {
    "user_type".to_owned()
}

fn hospital_id() -> String {
    "hospital_id".to_owned()
}

/// The setting `TokenIssuers` is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a JSON list of issuers: {0}")]
pub struct InvalidIssuers(String);

impl IssuerConfig {
    /// Parses the setting. If it is empty, the only issuer is the stack's own secret.
    pub fn list(json: &str) -> Result<Vec<Self>, InvalidIssuers> {
        if json.trim().is_empty() {
            return Ok(vec![Self::default()]);
        }
        let read = &mut serde_json::Deserializer::from_str(json);
        let issuers: Vec<Self> =
            serde_path_to_error::deserialize(read).map_err(|error| InvalidIssuers(error.to_string()))?;
        if issuers.is_empty() {
            return Err(InvalidIssuers("the list is empty".to_owned()));
        }
        for (at, issuer) in issuers.iter().enumerate() {
            let invalid = |problem: &str| Err(InvalidIssuers(format!("[{at}]: {problem}")));
            match (&issuer.jwks, issuer.algorithm()) {
                (None, Algorithm::HS256) => {}
                (None, _) => return invalid("`jwks` is missing; only HS256 works without it"),
                (Some(_), Algorithm::HS256) => {
                    return invalid("HS256 uses the secret; remove `jwks` or choose another `algorithm`");
                }
                // Keys fetched without TLS could be replaced in transit. Loopback is allowed for local development.
                (Some(url), _) if url.starts_with("https://") || url.starts_with("http://127.0.0.1:") => {}
                (Some(_), _) => return invalid("`jwks` must begin with https://"),
            }
            // A key set may sign tokens of many issuers and apps, so the configuration must say which of them to
            // accept.
            if issuer.jwks.is_some() && issuer.issuer.is_none() && issuer.audience.iter().all(String::is_empty) {
                return invalid("`jwks` accepts tokens of any app; set `issuer` or `audience`");
            }
            if !issuer.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')) {
                return invalid("`prefix` must consist of A-Z, a-z, 0-9, '_', '.' and '-'");
            }
            let before = &issuers[..at];
            if before.iter().any(|other| other.prefix == issuer.prefix) {
                return invalid(
                    "another issuer has this `prefix`; choose a different one so that user ids stay unique",
                );
            }
            if before.iter().any(|other| other.issuer == issuer.issuer) {
                return invalid("another entry has this `issuer`; remove one of them");
            }
        }
        Ok(issuers)
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(if self.jwks.is_some() { Algorithm::RS256 } else { Algorithm::HS256 })
    }

    fn hospital(&self) -> HospitalRole {
        self.hospital.clone().unwrap_or_else(|| match self.jwks {
            Some(_) => HospitalRole::Nothing {},
            None => HospitalRole::Claims { user_type: user_type(), hospital_id: hospital_id() },
        })
    }

    /// Checks the claims of a token whose signature has been verified, and derives the caller from them.
    pub(super) fn identity(&self, claims: &Claims, now: Timestamp) -> Result<Identity, TokenError> {
        let time = |name, problem| claims.seconds(name).map_err(|_| TokenError::Unauthorized(problem));
        if self.issuer.is_some() && claims.text("iss") != self.issuer.as_deref() {
            return Err(TokenError::Unauthorized("unknown issuer"));
        }
        let exp = time("exp", "`exp` is not a time in seconds")?;
        let session_until = Timestamp::from_seconds(exp.ok_or(TokenError::Unauthorized("`exp` is missing"))?);
        if session_until <= now {
            return Err(TokenError::Unauthorized("expired"));
        }
        let nbf = time("nbf", "`nbf` is not a time in seconds")?.map(Timestamp::from_seconds);
        if nbf.is_some_and(|nbf| nbf > now + LEEWAY) {
            return Err(TokenError::Unauthorized("not valid yet"));
        }
        if !self.audience.is_empty() {
            // `client_id` names the app that requested the token; it stands for the audience only if there is no `aud`.
            let audience = claims.texts(if claims.has("aud") { "aud" } else { "client_id" });
            if !audience.iter().any(|one| self.audience.iter().any(|accepted| accepted == one)) {
                return Err(TokenError::Unauthorized("audience does not match"));
            }
        }
        if self.token_use.is_some() && claims.text("token_use") != self.token_use.as_deref() {
            return Err(TokenError::Unauthorized("`token_use` does not match"));
        }
        let sub = claims.text("sub").ok_or(TokenError::Unauthorized("`sub` is missing"))?;
        let user_id = UserId::from_subject(&self.prefix, sub)
            .map_err(|_| TokenError::Forbidden("`sub` is too long for a user id"))?;
        Ok(Identity {
            participant: self.participant(claims, &user_id)?,
            user_id,
            // A name that shows nothing is none: nobody should be locked out by it.
            name: claims.text(&self.claims.name).map(str::trim).filter(|name| is_visible(name)).map(cut),
            language: self.language(claims),
            issued_at: time("iat", "`iat` is not a time in seconds")?.map(Timestamp::from_seconds),
            session_until,
        })
    }

    /// The language claim. One that cannot be read is ignored, since nobody should be locked out by it; its value is
    /// not logged, because a claim chosen by mistake may hold a name.
    fn language(&self, claims: &Claims) -> Option<Language> {
        let claim = &self.claims.language;
        let text = claims.text(claim)?;
        let language = text.parse();
        if language.is_err() {
            tracing::warn!(claim, characters = text.chars().count(), "ignored a claim that is not a language tag");
        }
        language.ok()
    }

    fn participant(&self, claims: &Claims, user_id: &UserId) -> Result<Participant, TokenError> {
        let hospital = |id: &str| {
            let id: Result<HospitalId, _> = id.parse();
            id.map(Participant::Hospital).map_err(|_| TokenError::Forbidden("hospital id is invalid"))
        };
        match self.hospital() {
            HospitalRole::Nothing {} => Ok(Participant::User(user_id.clone())),
            HospitalRole::Claims { user_type, hospital_id } => match claims.text(&user_type) {
                None | Some("user") => Ok(Participant::User(user_id.clone())),
                Some("hospital") => {
                    hospital(claims.text(&hospital_id).ok_or(TokenError::Forbidden("hospital id is missing"))?)
                }
                Some(_) => Err(TokenError::Forbidden("user type is neither `user` nor `hospital`")),
            },
            HospitalRole::Group { claim, prefix } => {
                let groups = claims.texts(&claim);
                let mut hospitals = groups.iter().filter_map(|group| group.strip_prefix(prefix.as_str()));
                match (hospitals.next(), hospitals.next()) {
                    (None, _) => Ok(Participant::User(user_id.clone())),
                    (Some(id), None) => hospital(id),
                    (Some(_), Some(_)) => Err(TokenError::Forbidden("user belongs to several hospital groups")),
                }
            }
        }
    }
}

/// How far `nbf` may be in the future, because clocks differ. `exp` has no leeway, as for every later request of the
/// connection.
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(5);
/// The most characters of a name; longer names are cut.
const MAX_NAME: usize = 100;

fn cut(name: &str) -> String {
    preview(name, MAX_NAME)
}
