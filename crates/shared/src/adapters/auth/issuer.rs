//! The issuers whose tokens are taken: what each signs with, for whom, and what of its claims is believed.

use serde::Deserialize;

use super::claims::Claims;
use super::{Identity, TokenError};
use protocol::clock::Timestamp;
use protocol::ids::{HospitalId, Participant, UserId};

/// One issuer, as the setting `TokenIssuers` states it; the default signs with the stack's own secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` of its tokens. Left out: whatever no other issuer claims, or names none.
    pub issuer: Option<String>,
    /// Where it publishes its keys (JWKS, RFC 7517); left out: HS256 with the value of the secret `TokenSecret`.
    pub jwks: Option<String>,
    /// What it signs with; left out: `RS256` with published keys, `HS256` with the secret.
    pub algorithm: Option<Algorithm>,
    /// One of these must be the token's `aud` (or `client_id` where it has none, as Cognito's access tokens); empty: not checked.
    pub audience: Vec<String>,
    /// What `token_use` must be: Cognito's `access` or `id`; left out: not checked.
    pub token_use: Option<String>,
    /// What the ids of its people begin with, followed by `~_`: two issuers may both know a "42". At most one has none.
    pub prefix: String,
    /// What it calls the claims that people are shown by.
    pub claims: ClaimNames,
    /// Where it says who speaks for a hospital; left out: in `user_type` and `hospital_id` with the secret, nowhere with published keys.
    pub hospital: Option<HospitalRole>,
}

/// How a token is signed: the issuer's setting says it, never the token.
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

/// How an issuer calls its claims.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// What a person is called: `name`.
    pub name: String,
    /// What they read and write: `language`.
    pub language: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { name: "name".to_owned(), language: "language".to_owned() }
    }
}

/// Where an issuer says who speaks for which hospital.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase", deny_unknown_fields)]
pub enum HospitalRole {
    /// Nowhere: all its people are users.
    Nothing {},
    /// In two claims that none but the issuer's owner writes. Beware of attributes that users may write themselves.
    Claims {
        /// Says `hospital`, or `user`.
        #[serde(default = "user_type")]
        user_type: String,
        /// The hospital.
        #[serde(default = "hospital_id")]
        hospital_id: String,
    },
    /// In a group that the pool's owner assigns, such as Cognito's `cognito:groups`: who is in `hospital-h9` speaks for `h9`.
    Group {
        /// The claim that lists a person's groups.
        claim: String,
        /// What such a group begins with.
        prefix: String,
    },
}

fn user_type() -> String {
    "user_type".to_owned()
}

fn hospital_id() -> String {
    "hospital_id".to_owned()
}

/// What is wrong with the setting `TokenIssuers`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a JSON list of issuers: {0}")]
pub struct InvalidIssuers(String);

impl IssuerConfig {
    /// Reads the setting; empty, it is the stack's own secret alone.
    pub fn list(json: &str) -> Result<Vec<Self>, InvalidIssuers> {
        if json.trim().is_empty() {
            return Ok(vec![Self::default()]);
        }
        let read = &mut serde_json::Deserializer::from_str(json);
        let issuers: Vec<Self> =
            serde_path_to_error::deserialize(read).map_err(|error| InvalidIssuers(error.to_string()))?;
        if issuers.is_empty() {
            return Err(InvalidIssuers("there is none".to_owned()));
        }
        for (at, issuer) in issuers.iter().enumerate() {
            let wrong = |what: &str| Err(InvalidIssuers(format!("[{at}]: {what}")));
            match (&issuer.jwks, issuer.algorithm()) {
                (None, Algorithm::HS256) => {}
                (None, _) => return wrong("`jwks` is missing, without which only HS256 can be checked"),
                (Some(_), Algorithm::HS256) => return wrong("HS256 needs the secret, and no `jwks`"),
                // Keys that anybody on the way could change prove nothing. Loopback is for trying it out.
                (Some(url), _) if url.starts_with("https://") || url.starts_with("http://127.0.0.1:") => {}
                (Some(_), _) => return wrong("`jwks` must begin with https://"),
            }
            // A key set may sign for many issuers and many apps: something has to say which of its tokens are meant for us.
            if issuer.jwks.is_some() && issuer.issuer.is_none() && issuer.audience.iter().all(String::is_empty) {
                return wrong("with `jwks`, `issuer` or `audience` must say which tokens of these keys are taken");
            }
            if !issuer.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')) {
                return wrong("`prefix` must be of A-Z, a-z, 0-9, '_', '.' and '-'");
            }
            let before = &issuers[..at];
            if before.iter().any(|other| other.prefix == issuer.prefix) {
                return wrong("another issuer has this `prefix`, so that two people could have one id");
            }
            if before.iter().any(|other| other.issuer == issuer.issuer) {
                return wrong("another one has this `issuer`");
            }
        }
        Ok(issuers)
    }

    /// What its tokens are signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(if self.jwks.is_some() { Algorithm::RS256 } else { Algorithm::HS256 })
    }

    fn hospital(&self) -> HospitalRole {
        self.hospital.clone().unwrap_or_else(|| match self.jwks {
            Some(_) => HospitalRole::Nothing {},
            None => HospitalRole::Claims { user_type: user_type(), hospital_id: hospital_id() },
        })
    }

    /// Who the claims of a token of this issuer, which is signed as it should be, say is calling at `now`.
    pub(super) fn identity(&self, claims: &Claims, now: Timestamp) -> Result<Identity, TokenError> {
        let time = |name, wrong| claims.seconds(name).map_err(|_| TokenError::Unauthorized(wrong));
        if self.issuer.is_some() && claims.text("iss") != self.issuer.as_deref() {
            return Err(TokenError::Unauthorized("it is of another issuer"));
        }
        let exp = time("exp", "its `exp` is not a whole number of seconds")?;
        let session_until = Timestamp::from_seconds(exp.ok_or(TokenError::Unauthorized("it never expires"))?);
        if session_until <= now {
            return Err(TokenError::Unauthorized("it has expired"));
        }
        let nbf = time("nbf", "its `nbf` is not a whole number of seconds")?.map(Timestamp::from_seconds);
        if nbf.is_some_and(|nbf| nbf > now + LEEWAY) {
            return Err(TokenError::Unauthorized("it is not valid yet"));
        }
        if !self.audience.is_empty() {
            // `client_id` says who asked for the token; only where nothing says whom it is meant for is that the same.
            let whom = claims.texts(if claims.has("aud") { "aud" } else { "client_id" });
            if !whom.iter().any(|one| self.audience.iter().any(|ours| ours == one)) {
                return Err(TokenError::Unauthorized("it is meant for another audience"));
            }
        }
        if self.token_use.is_some() && claims.text("token_use") != self.token_use.as_deref() {
            return Err(TokenError::Unauthorized("it is for another use"));
        }
        let sub = claims.text("sub").ok_or(TokenError::Unauthorized("it has no `sub`"))?;
        let user_id = UserId::foreign(&self.prefix, sub)
            .map_err(|_| TokenError::Forbidden("its `sub` is too long for an id of this service"))?;
        Ok(Identity {
            participant: self.participant(claims, &user_id)?,
            user_id,
            name: claims.text(&self.claims.name).map(|name| name.trim().chars().take(MAX_NAME).collect()),
            // A language that is no language tag is as good as none.
            language: claims.text(&self.claims.language).and_then(|tag| tag.parse().ok()),
            issued_at: time("iat", "its `iat` is not a whole number of seconds")?.map(Timestamp::from_seconds),
            session_until,
        })
    }

    fn participant(&self, claims: &Claims, user_id: &UserId) -> Result<Participant, TokenError> {
        let hospital = |id: &str| {
            let id: Result<HospitalId, _> = id.parse();
            id.map(Participant::Hospital)
                .map_err(|_| TokenError::Forbidden("its hospital is not an id that this service takes"))
        };
        match self.hospital() {
            HospitalRole::Nothing {} => Ok(Participant::User(user_id.clone())),
            HospitalRole::Claims { user_type, hospital_id } => match claims.text(&user_type) {
                None | Some("user") => Ok(Participant::User(user_id.clone())),
                Some("hospital") => {
                    hospital(claims.text(&hospital_id).ok_or(TokenError::Forbidden("it names no hospital"))?)
                }
                Some(_) => Err(TokenError::Forbidden("its user type is neither `user` nor `hospital`")),
            },
            HospitalRole::Group { claim, prefix } => {
                let groups = claims.texts(&claim);
                let mut hospitals = groups.iter().filter_map(|group| group.strip_prefix(prefix.as_str()));
                match (hospitals.next(), hospitals.next()) {
                    (None, _) => Ok(Participant::User(user_id.clone())),
                    (Some(id), None) => hospital(id),
                    (Some(_), Some(_)) => Err(TokenError::Forbidden("it names several hospitals")),
                }
            }
        }
    }
}

/// Clocks differ a little, so `nbf` may be ahead of ours by this much. `exp` counts to the second, as it does for every later request of
/// the connection.
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(5);
/// The most characters of a name that is shown.
const MAX_NAME: usize = 100;
