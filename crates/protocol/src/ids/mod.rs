//! Ids of people, hospitals, participants, rooms, messages and connections, and the numbers of log entries. Each is
//! parsed once, at the edge, and is valid from then on.

mod connection;
mod message;
mod participant;
mod room;
mod seq;

pub use connection::ConnectionId;
pub use message::MessageId;
pub use participant::{HospitalId, Participant, UserId};
pub use room::{OpenName, RoomId};
pub use seq::{LogPosition, Seq};

/// Why a text is not a valid id. Clients receive the message after the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(&'static str);

const ALPHABET: &str = "must be 1 to 64 characters of A-Z, a-z, 0-9, '_', '.', '-' and '~'";

fn plain(text: &str) -> Result<String, InvalidId> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~');
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(InvalidId(ALPHABET))
    }
}

/// Serializes a type as a string, by `Display` and `FromStr`.
macro_rules! serde_as_string {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_string;

macro_rules! plain_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl std::str::FromStr for $name {
            type Err = $crate::ids::InvalidId;
            fn from_str(text: &str) -> Result<Self, $crate::ids::InvalidId> {
                $crate::ids::plain(text).map(Self)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        $crate::ids::serde_as_string!($name);
    };
}
use plain_id;
