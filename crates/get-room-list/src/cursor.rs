//! The cursor of a room list: `<last_activity>.<room_id>`. It contains no participant, so another user's cursor only
//! leads into the caller's own list.

use protocol::clock::Timestamp;
use protocol::wire::Refusal;
use shared::adapters::dynamodb::ListPosition;

pub fn encode(position: &ListPosition) -> String {
    format!("{}.{}", position.last_activity.millis(), position.room_id)
}

pub fn decode(cursor: &str) -> Result<ListPosition, Refusal> {
    let position = cursor.split_once('.').and_then(|(at, room)| {
        Some(ListPosition { last_activity: Timestamp::from_millis(at.parse().ok()?), room_id: room.parse().ok()? })
    });
    position.ok_or_else(|| Refusal::bad_request("`cursor`: must be the `next_cursor` of an earlier page"))
}
