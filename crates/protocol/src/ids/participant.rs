//! People, hospitals, and the participants that they are in a room.

use std::fmt;
use std::str::FromStr;

use super::{InvalidId, plain_id, serde_as_string};

plain_id!(
    /// A person, as the token's `sub` names them.
    UserId
);
plain_id!(
    /// A hospital, as the token's `hospital_id` names it.
    HospitalId
);

impl UserId {
    /// Stands for a person that this version cannot read. No subject is encoded like this.
    pub(crate) fn unknown() -> Self {
        Self("~unknown".to_owned())
    }

    /// The id of the person whom an issuer calls `subject`, encoded without loss: every byte outside the alphabet
    /// becomes `~` and two hexadecimal digits (`auth0|1` is `auth0~7C1`). A prefix ends in `~_`, which no encoded
    /// subject contains, so people of different issuers never share an id.
    pub fn from_subject(prefix: &str, subject: &str) -> Result<Self, InvalidId> {
        let mut id = if prefix.is_empty() { String::new() } else { format!("{prefix}~_") };
        for byte in subject.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') {
                id.push(char::from(byte));
            } else {
                id.push_str(&format!("~{byte:02X}"));
            }
        }
        id.parse()
    }
}

/// A member of a room: a person, or a hospital that all of its staff speak for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Participant {
    /// `user:<user_id>`
    User(UserId),
    /// `hospital:<hospital_id>`
    Hospital(HospitalId),
}

impl Participant {
    /// Stands for a participant that this version cannot read.
    pub(crate) fn unknown() -> Self {
        Self::User(UserId::unknown())
    }

    /// Whether this is a hospital.
    pub fn is_hospital(&self) -> bool {
        matches!(self, Self::Hospital(_))
    }
}

impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Hospital(id) => write!(f, "hospital:{id}"),
        }
    }
}

impl FromStr for Participant {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            Some(("hospital", id)) => Ok(Self::Hospital(id.parse()?)),
            _ => Err(InvalidId("must be `user:<user_id>` or `hospital:<hospital_id>`")),
        }
    }
}
serde_as_string!(Participant);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_outside_the_alphabet_are_rejected() {
        for text in ["", "a b", "a:b", "김", "a/b", &"x".repeat(65)] {
            assert!(text.parse::<UserId>().is_err(), "{text}");
        }
    }
}
