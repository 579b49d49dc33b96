//! Who and where: the ids of people, hospitals, participants, rooms, messages and connections. Each is parsed once, at
//! the edge, and holds only what can be valid.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Why a text is not an id; the sentence goes to the client behind the field's name.
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

/// Serde for a type that is a string outside: read by `FromStr`, written by `Display`.
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

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                plain(text).map(Self)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        serde_as_string!($name);
    };
}

plain_id!(
    /// A person, as the token's `sub` names them.
    UserId
);
plain_id!(
    /// A hospital, as the token's `hospital_id` names it.
    HospitalId
);
plain_id!(
    /// The name part of an open room.
    OpenName
);

impl UserId {
    /// The id of a person whom an issuer calls `name`, without loss: what is not in our alphabet becomes `~` and two hexadecimal digits
    /// a byte (`auth0|1` is `auth0~7C1`). A prefix ends in `~_`, which no name becomes, so that no two issuers' people share an id.
    pub fn foreign(prefix: &str, name: &str) -> Result<Self, InvalidId> {
        let mut id = if prefix.is_empty() { String::new() } else { format!("{prefix}~_") };
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') {
                id.push(char::from(byte));
            } else {
                id.push_str(&format!("~{byte:02X}"));
            }
        }
        id.parse()
    }
}

/// Who holds a seat in a room. Many staff speak as one hospital.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Participant {
    /// `user:<user_id>`
    User(UserId),
    /// `hospital:<hospital_id>`
    Hospital(HospitalId),
}

impl Participant {
    /// Whether staff speak through this participant.
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

/// A conversation. The id says its kind, and for two-sided rooms who the two are: creating one twice is creating it once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomId {
    /// `consult:<user_id>:<hospital_id>`
    Consult(UserId, HospitalId),
    /// `direct:<lower>:<higher>`; built by [`RoomId::direct`], so that the order cannot be wrong.
    Direct(UserId, UserId),
    /// `room:<uuid>`
    Group(Uuid),
    /// `open:<name>`
    Open(OpenName),
}

impl RoomId {
    /// A room that there is not, for a read whose answer does not matter.
    pub const NOWHERE: Self = Self::Group(Uuid::nil());

    /// The room of two people, whichever of them asks; `None` where both are the same person.
    pub fn direct(one: UserId, other: UserId) -> Option<Self> {
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Some(Self::Direct(one, other)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Self::Direct(other, one)),
        }
    }

    /// The hospital of a consult.
    pub fn hospital(&self) -> Option<&HospitalId> {
        match self {
            Self::Consult(_, hospital) => Some(hospital),
            _ => None,
        }
    }

    /// The two sides of a consult or a direct room; `None` for rooms whose members only the table knows.
    pub fn sides(&self) -> Option<[Participant; 2]> {
        match self {
            Self::Consult(user, hospital) => {
                Some([Participant::User(user.clone()), Participant::Hospital(hospital.clone())])
            }
            Self::Direct(lower, higher) => Some([Participant::User(lower.clone()), Participant::User(higher.clone())]),
            Self::Group(_) | Self::Open(_) => None,
        }
    }

    /// The other side of a consult or a direct room.
    pub fn counterpart(&self, of: &Participant) -> Option<Participant> {
        self.sides()?.into_iter().find(|side| side != of)
    }

    /// Whether who is not a member may learn that this room exists.
    pub fn may_be_known_of(&self) -> bool {
        matches!(self, Self::Group(_) | Self::Open(_))
    }

    /// Whether anyone signed in may join, and the audience is who joined by connection.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consult(user, hospital) => write!(f, "consult:{user}:{hospital}"),
            Self::Direct(lower, higher) => write!(f, "direct:{lower}:{higher}"),
            Self::Group(uuid) => write!(f, "room:{uuid}"),
            Self::Open(name) => write!(f, "open:{name}"),
        }
    }
}

impl FromStr for RoomId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const FORM: InvalidId = InvalidId(
            "must be `consult:<user_id>:<hospital_id>`, `direct:<lower>:<higher>`, `room:<uuid>` or `open:<name>`",
        );
        let (kind, rest) = text.split_once(':').ok_or(FORM)?;
        match kind {
            "consult" => {
                let (user, hospital) = rest.split_once(':').ok_or(FORM)?;
                Ok(Self::Consult(user.parse()?, hospital.parse()?))
            }
            "direct" => {
                let (lower, higher) = rest.split_once(':').ok_or(FORM)?;
                let (lower, higher): (UserId, UserId) = (lower.parse()?, higher.parse()?);
                if lower < higher { Ok(Self::Direct(lower, higher)) } else { Err(FORM) }
            }
            // Only the hyphenated lower-case form, so that one room has one spelling and so one partition.
            "room" => match Uuid::try_parse(rest) {
                Ok(uuid) if uuid.hyphenated().to_string() == rest => Ok(Self::Group(uuid)),
                _ => Err(FORM),
            },
            "open" => Ok(Self::Open(rest.parse()?)),
            _ => Err(FORM),
        }
    }
}
serde_as_string!(RoomId);

/// The client's idempotency key of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(Uuid);

impl MessageId {
    /// A fresh one, for a message whose client chose none.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId("must be a UUID"))
    }
}
serde_as_string!(MessageId);

/// One open WebSocket, as API Gateway names it (`L0SM9cOFvHcCIhw=`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Takes the id as API Gateway gave it; nobody else makes one.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of an entry in its room's log: 1, 2, 3 … without a hole. At most 2^53 − 1, the largest whole number that
/// every JSON reader keeps exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// The first entry of every room, which records its creation.
    pub const FIRST: Self = Self(1);
    /// Above every entry that there can be.
    pub const LAST: Self = Self(Self::MAX);
    const MAX: u64 = (1 << 53) - 1;

    /// The number as an integer.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Having read everything below this entry, and not the entry.
    pub fn below(self) -> Mark {
        Mark(self.0 - 1)
    }

    /// The number half way to `other`.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }
}

impl TryFrom<u64> for Seq {
    type Error = InvalidId;
    fn try_from(number: u64) -> Result<Self, InvalidId> {
        if (1..=Self::MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidId("must be a whole number from 1 to 2^53 - 1"))
        }
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i128::from(whole_number(deserializer)?);
        let number = u64::try_from(number).unwrap_or(0);
        Self::try_from(number).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A whole number of either sign; what is too large to be one of ours reads as `i64::MAX` and is refused by range.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Whole;
    impl serde::de::Visitor<'_> for Whole {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }
        fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }
        fn visit_u64<E>(self, number: u64) -> Result<i64, E> {
            Ok(i64::try_from(number).unwrap_or(i64::MAX))
        }
    }
    deserializer.deserialize_i64(Whole)
}

/// How far a reader has come: a [`Seq`], or 0 for "nothing yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Mark(u64);

impl Mark {
    /// The mark as an integer.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The last entry that was read; `None` for "nothing yet".
    pub fn entry(self) -> Option<Seq> {
        (self.0 > 0).then_some(Seq(self.0))
    }

    /// The first entry behind the mark.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

impl From<Seq> for Mark {
    fn from(seq: Seq) -> Self {
        Self(seq.0)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::try_from(whole_number(deserializer)?) {
            Ok(number) if number <= Seq::MAX => Ok(Self(number)),
            _ => Err(serde::de::Error::custom("must be a whole number from 0 to 2^53 - 1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_id_reads_back_as_it_was_written() {
        for text in ["consult:u1:h9", "direct:a:b", "room:01931b1c-7d4e-7cc3-98c4-dc0c0c07398f", "open:lobby"] {
            assert_eq!(text.parse::<RoomId>().expect("valid").to_string(), text);
        }
    }

    #[test]
    fn a_room_has_one_spelling_only() {
        for text in [
            "direct:b:a",
            "direct:a:a",
            "room:01931B1C-7D4E-7CC3-98C4-DC0C0C07398F",
            "consult:u1",
            "consult:u1:h9:x",
            "open:",
            "hall:x",
            "",
        ] {
            assert!(text.parse::<RoomId>().is_err(), "{text}");
        }
    }

    #[test]
    fn two_people_share_one_direct_room_whoever_asks() {
        let (a, b): (UserId, UserId) = ("a".parse().expect("valid"), "b".parse().expect("valid"));
        assert_eq!(RoomId::direct(a.clone(), b.clone()), RoomId::direct(b, a.clone()));
        assert_eq!(RoomId::direct(a.clone(), a), None);
    }

    #[test]
    fn a_seq_is_a_whole_number_that_every_json_reader_keeps() {
        for refused in ["0", "-1", "9223372036854775808", "9007199254740992", "1.5", "\"1\""] {
            assert!(serde_json::from_str::<Seq>(refused).is_err(), "{refused}");
        }
        assert_eq!(serde_json::from_str::<Seq>("9007199254740991").expect("valid").get(), 9_007_199_254_740_991);
    }

    #[test]
    fn an_id_outside_the_alphabet_is_refused() {
        for text in ["", "a b", "a:b", "김", "a/b", &"x".repeat(65)] {
            assert!(text.parse::<UserId>().is_err(), "{text}");
        }
    }
}
