//! Which room `joinGroup` names.

use serde::{Deserialize, Deserializer};
use shared::ids::{OpenName, RoomId};

#[derive(Deserialize)]
pub struct Request {
    /// `groupId` is what clients of the system before called it.
    #[serde(alias = "groupId", alias = "room_id", deserialize_with = "room_or_name")]
    pub group_id: RoomId,
}

/// A room's id, or the bare name of an open room.
fn room_or_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RoomId, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<OpenName>() {
        Ok(name) => Ok(RoomId::Open(name)),
        Err(_) => text.parse().map_err(serde::de::Error::custom),
    }
}
