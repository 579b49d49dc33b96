//! Rooms.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{HospitalId, InvalidId, Participant, UserId, plain_id, serde_as_string};

plain_id!(
    /// The name in the id of an open room.
    OpenName
);

/// A conversation. The id contains its kind and, for a room of two, both of them: creating the same room twice creates
/// it once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomId {
    /// `consult:<user_id>:<hospital_id>`
    Consult(UserId, HospitalId),
    /// `direct:<lower>:<higher>`; [`RoomId::direct`] puts the two in order.
    Direct(UserId, UserId),
    /// `room:<uuid>`
    Group(Uuid),
    /// `open:<name>`
    Open(OpenName),
}

impl RoomId {
    /// A room that does not exist, for reads whose result does not matter.
    pub const NOWHERE: Self = Self::Group(Uuid::nil());

    /// The room of two people, in either order; `None` if both are the same person.
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
            Self::Direct(..) | Self::Group(_) | Self::Open(_) => None,
        }
    }

    /// The two members of a consult or a direct room; `None` for rooms whose members only the table lists.
    pub fn sides(&self) -> Option<[Participant; 2]> {
        match self {
            Self::Consult(user, hospital) => {
                Some([Participant::User(user.clone()), Participant::Hospital(hospital.clone())])
            }
            Self::Direct(lower, higher) => Some([Participant::User(lower.clone()), Participant::User(higher.clone())]),
            Self::Group(_) | Self::Open(_) => None,
        }
    }

    /// The other member of a consult or a direct room.
    pub fn counterpart(&self, of: &Participant) -> Option<Participant> {
        self.sides()?.into_iter().find(|side| side != of)
    }

    /// Whether non-members may learn that this room exists.
    pub fn is_discoverable(&self) -> bool {
        matches!(self, Self::Group(_) | Self::Open(_))
    }

    /// Whether anyone who is signed in may join. The audience of an open room is the connections that joined it.
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
                let lower: UserId = lower.parse()?;
                let higher: UserId = higher.parse()?;
                if lower < higher { Ok(Self::Direct(lower, higher)) } else { Err(FORM) }
            }
            // Only the hyphenated lower-case form, so that each room has one spelling and one partition.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_id_round_trips() {
        for text in ["consult:u1:h9", "direct:a:b", "room:01931b1c-7d4e-7cc3-98c4-dc0c0c07398f", "open:lobby"] {
            assert_eq!(text.parse::<RoomId>().expect("valid").to_string(), text);
        }
    }

    #[test]
    fn room_id_has_one_spelling() {
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
    fn direct_room_ignores_the_order_of_its_members() {
        let a: UserId = "a".parse().expect("valid");
        let b: UserId = "b".parse().expect("valid");
        assert_eq!(RoomId::direct(a.clone(), b.clone()), RoomId::direct(b, a.clone()));
        assert_eq!(RoomId::direct(a.clone(), a), None);
    }
}
