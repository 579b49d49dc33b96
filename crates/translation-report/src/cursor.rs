//! Where a page ended, as the client hands it back: `<sent_at>.<seq>.<room_id>`. It names no hospital, so a cursor of somebody
//! else's leads nowhere but into the caller's own list.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared::clock::Timestamp;
use shared::ids::Seq;
use shared::table::FailurePosition;

/// The position, read and written as one string.
pub struct Cursor(pub FailurePosition);

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FailurePosition { room_id, seq, sent_at } = &self.0;
        serializer.collect_str(&format_args!("{}.{seq}.{room_id}", sent_at.millis()))
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let position = || {
            let (at, rest) = text.split_once('.')?;
            let (seq, room) = rest.split_once('.')?;
            let seq: u64 = seq.parse().ok()?;
            Some(FailurePosition {
                room_id: room.parse().ok()?,
                seq: Seq::try_from(seq).ok()?,
                sent_at: Timestamp::from_millis(at.parse().ok()?),
            })
        };
        position().map(Self).ok_or_else(|| serde::de::Error::custom("must be a `next_cursor` of an earlier page"))
    }
}
