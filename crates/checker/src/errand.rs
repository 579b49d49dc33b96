//! What a client wants, and repeats until a reply comes: by another connection, if its own was cut.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use crate::reading::Reading;

/// A request that is not answered yet.
pub(crate) struct Errand {
    pub what: What,
    /// When it is made, or made again.
    pub due: Instant,
    pub attempts: u32,
    /// How many messages may be on their way at once, over all clients, is bounded; held until this one is acknowledged.
    pub _permit: Option<OwnedSemaphorePermit>,
}

/// What a client wants.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A room that is to be there.
    Open { action: &'static str, fields: Value },
    /// A room to be heard on this connection, or a seat in it.
    Join { room: String },
    /// A message to be sent; its fields never change.
    Send { fields: Value },
    /// What is newer in these rooms.
    Sync { rooms: Vec<String> },
    /// What is newer in this room.
    Newer { room: String },
    /// A read mark to be moved.
    Mark { room: String, seq: u64 },
    /// A consult to be moved to another status.
    Status { room: String, status: &'static str },
    /// Something about a room that is none of the client's business, which must be refused.
    Pry { action: &'static str, fields: Value },
    /// A page of the room list.
    List { cursor: Option<Value> },
    /// A page of a room's whole history, with the fields that say where it begins.
    Page { room: String, backwards: bool, next: Value, limit: u64 },
}

impl What {
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::Open { action, .. } | Self::Pry { action, .. } => action,
            Self::Join { .. } => "joinGroup",
            Self::Send { .. } => "sendMessage",
            Self::Sync { .. } => "sync",
            Self::Newer { .. } | Self::Page { .. } => "getChatHistory",
            Self::Mark { .. } => "markRead",
            Self::Status { .. } => "changeRoomStatus",
            Self::List { .. } => "getRoomList",
        }
    }

    /// The request as it is made now: with the numbers that the client has come to meanwhile.
    pub(crate) fn request(&self, readings: &BTreeMap<String, Reading>) -> Value {
        let mark = |room: &str| readings.get(room).map_or(0, Reading::mark);
        let mut request = match self {
            Self::Open { fields, .. } | Self::Send { fields } | Self::Pry { fields, .. } => fields.clone(),
            Self::Join { room } => json!({ "group_id": room }),
            Self::Sync { rooms } => {
                json!({ "rooms": rooms.iter().map(|room| (room.clone(), mark(room))).collect::<BTreeMap<_, _>>() })
            }
            Self::Newer { room } => json!({ "room_id": room, "after_seq": mark(room), "limit": 100 }),
            Self::Status { room, status } => json!({ "room_id": room, "status": status }),
            Self::Mark { room, seq } => json!({ "room_id": room, "seq": seq }),
            Self::List { cursor: None } => json!({ "limit": 50 }),
            Self::List { cursor: Some(cursor) } => json!({ "limit": 50, "cursor": cursor }),
            Self::Page { room, next, limit, .. } => {
                let mut request = next.clone();
                request["room_id"] = json!(room);
                request["limit"] = json!(limit);
                request
            }
        };
        request["action"] = json!(self.action());
        request
    }

    /// Whether this asks for what is missing in that room.
    pub(crate) fn repairs(&self, room: &str) -> bool {
        match self {
            Self::Newer { room: asked } => asked == room,
            Self::Sync { rooms } => rooms.iter().any(|asked| asked == room),
            _ => false,
        }
    }
}
