//! Where a page ended, as the client hands it back: `<last_activity>.<room_id>`. It names no participant, so a cursor of
//! somebody else's leads nowhere but into the caller's own list.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared::clock::Timestamp;
use shared::table::ListPosition;

/// The position, read and written as one string.
pub struct Cursor(pub ListPosition);

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}.{}", self.0.last_activity.millis(), self.0.room_id))
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let position = text.split_once('.').and_then(|(at, room)| {
            Some(ListPosition { last_activity: Timestamp::from_millis(at.parse().ok()?), room_id: room.parse().ok()? })
        });
        position.map(Self).ok_or_else(|| serde::de::Error::custom("must be a `next_cursor` of an earlier page"))
    }
}
