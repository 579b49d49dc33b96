//! Where a page ended, as the client sends it back: `<sent_at>.<seq>.<room_id>`. A cursor names no hospital, so one
//! that was taken from another hospital only leads into the caller's own list.

use protocol::clock::Timestamp;
use protocol::ids::Seq;
use protocol::wire::Refusal;
use shared::adapters::dynamodb::FailurePosition;

pub fn to_text(position: &FailurePosition) -> String {
    format!("{}.{}.{}", position.sent_at.millis(), position.seq, position.room_id)
}

pub fn parse(cursor: &str) -> Result<FailurePosition, Refusal> {
    let position = || {
        let (at, rest) = cursor.split_once('.')?;
        let (seq, room) = rest.split_once('.')?;
        let seq: u64 = seq.parse().ok()?;
        Some(FailurePosition {
            room_id: room.parse().ok()?,
            seq: Seq::try_from(seq).ok()?,
            sent_at: Timestamp::from_millis(at.parse().ok()?),
        })
    };
    position().ok_or_else(|| Refusal::bad_request("`cursor`: must be the `next_cursor` of a previous page"))
}
