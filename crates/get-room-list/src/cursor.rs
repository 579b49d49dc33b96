//! Where a page ended, as the client hands it back: `<last_activity>.<room_id>`. It names no participant, so a cursor of
//! somebody else's leads nowhere but into the caller's own list.

use protocol::clock::Timestamp;
use protocol::wire::Refusal;
use shared::adapters::dynamodb::ListPosition;

/// As it is handed out.
pub fn written(position: &ListPosition) -> String {
    format!("{}.{}", position.last_activity.millis(), position.room_id)
}

/// As it is handed back.
pub fn read(cursor: &str) -> Result<ListPosition, Refusal> {
    let position = cursor.split_once('.').and_then(|(at, room)| {
        Some(ListPosition { last_activity: Timestamp::from_millis(at.parse().ok()?), room_id: room.parse().ok()? })
    });
    position.ok_or_else(|| Refusal::bad_request("`cursor`: must be a `next_cursor` of an earlier page"))
}
