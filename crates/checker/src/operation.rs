//! The operations that a client retries until they are answered, on a new connection if its own was cut.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use crate::room_view::RoomView;

/// An operation that has not been answered yet.
pub(crate) struct PendingOperation {
    pub operation: Operation,
    /// When the request is sent, or sent again.
    pub due: Instant,
    pub attempts: u32,
    /// Limits the messages in flight over all clients; held until this message is acknowledged.
    pub _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    OpenRoom {
        action: &'static str,
        fields: Value,
    },
    /// Joins a room as a member, or subscribes this connection to it.
    Join {
        room: String,
    },
    /// Sends a message, whose fields never change.
    Send {
        fields: Value,
    },
    Sync {
        rooms: Vec<String>,
    },
    /// Reads a room's new entries from history.
    ReadNew {
        room: String,
    },
    MarkRead {
        room: String,
        seq: u64,
    },
    ChangeStatus {
        room: String,
        status: &'static str,
    },
    /// A request about other people's rooms, which must be rejected.
    Unauthorized {
        action: &'static str,
        fields: Value,
    },
    /// Reads a page of the room list.
    ListRooms {
        cursor: Option<Value>,
    },
    /// Reads a page of a room's complete history; `next` has the fields that say where the page begins.
    ReadPage {
        room: String,
        backward: bool,
        next: Value,
        limit: u64,
    },
}

impl Operation {
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::OpenRoom { action, .. } | Self::Unauthorized { action, .. } => action,
            Self::Join { .. } => "joinGroup",
            Self::Send { .. } => "sendMessage",
            Self::Sync { .. } => "sync",
            Self::ReadNew { .. } | Self::ReadPage { .. } => "getChatHistory",
            Self::MarkRead { .. } => "markRead",
            Self::ChangeStatus { .. } => "changeRoomStatus",
            Self::ListRooms { .. } => "getRoomList",
        }
    }

    /// The request as it is sent now, with what the client has displayed so far.
    pub(crate) fn request(&self, views: &BTreeMap<String, RoomView>) -> Value {
        let last_displayed = |room: &str| views.get(room).map_or(0, RoomView::last_displayed);
        let mut request = match self {
            Self::OpenRoom { fields, .. } | Self::Send { fields } | Self::Unauthorized { fields, .. } => fields.clone(),
            Self::Join { room } => json!({ "group_id": room }),
            Self::Sync { rooms } => {
                let rooms: BTreeMap<_, _> = rooms.iter().map(|room| (room.clone(), last_displayed(room))).collect();
                json!({ "rooms": rooms })
            }
            Self::ReadNew { room } => json!({ "room_id": room, "after_seq": last_displayed(room), "limit": 100 }),
            Self::ChangeStatus { room, status } => json!({ "room_id": room, "status": status }),
            Self::MarkRead { room, seq } => json!({ "room_id": room, "seq": seq }),
            Self::ListRooms { cursor: None } => json!({ "limit": 50 }),
            Self::ListRooms { cursor: Some(cursor) } => json!({ "limit": 50, "cursor": cursor }),
            Self::ReadPage { room, next, limit, .. } => {
                let mut request = next.clone();
                request["room_id"] = json!(room);
                request["limit"] = json!(limit);
                request
            }
        };
        request["action"] = json!(self.action());
        request
    }

    /// Whether this reads what is missing in that room.
    pub(crate) fn repairs(&self, room: &str) -> bool {
        match self {
            Self::ReadNew { room: requested } => requested == room,
            Self::Sync { rooms } => rooms.iter().any(|requested| requested == room),
            Self::OpenRoom { .. }
            | Self::Join { .. }
            | Self::Send { .. }
            | Self::MarkRead { .. }
            | Self::ChangeStatus { .. }
            | Self::Unauthorized { .. }
            | Self::ListRooms { .. }
            | Self::ReadPage { .. } => false,
        }
    }
}
