//! Where a page ended, as the client hands it back: `<sent_at>.<seq>.<room_id>`. It names no hospital, so a cursor of somebody
//! else's leads nowhere but into the caller's own list.

use protocol::clock::Timestamp;
use protocol::ids::Seq;
use protocol::wire::Refusal;
use shared::adapters::dynamodb::FailurePosition;

/// As it is handed out.
pub fn written(position: &FailurePosition) -> String {
    format!("{}.{}.{}", position.sent_at.millis(), position.seq, position.room_id)
}

/// As it is handed back.
pub fn read(cursor: &str) -> Result<FailurePosition, Refusal> {
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
    position().ok_or_else(|| Refusal::bad_request("`cursor`: must be a `next_cursor` of an earlier page"))
}
