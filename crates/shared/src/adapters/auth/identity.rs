//! Who a caller is, or why they are not accepted.

use std::fmt;

use protocol::clock::Timestamp;
use protocol::ids::{Participant, UserId};
use protocol::language::Language;
use serde::{Deserialize, Serialize};

/// An authenticated caller.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub user_id: UserId,
    /// The member that the person acts as.
    pub participant: Participant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// When the token was issued, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// When the token expires.
    pub session_until: Timestamp,
}

/// Whether credentials were, or may have been, issued before their person signed out everywhere. Credentials without an
/// issue time count as older.
pub fn issued_before(issued_at: Option<Timestamp>, signed_out_at: Option<Timestamp>) -> bool {
    // Token times are in seconds: a token of the same second may be older.
    signed_out_at.is_some_and(|at| issued_at.is_none_or(|issued| issued.seconds() <= at.seconds()))
}

/// Debug output never contains people's names.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} as {})", self.user_id, self.participant)
    }
}

/// Why credentials were refused. The messages never contain claims.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// They do not prove an identity: answered with 401.
    #[error("invalid credentials: {0}")]
    Unauthorized(&'static str),
    /// They are valid, but their identity cannot be used here: answered with 403.
    #[error("credentials not accepted: {0}")]
    Forbidden(&'static str),
    /// The keys to check them with are unavailable: answered with 500.
    #[error("failed to fetch the issuer's keys")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
}
