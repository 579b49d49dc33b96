//! An entry of a room's log, reduced to what all copies of it must agree on.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// A copy of an entry from a frame, a page of history or the table. It holds a digest instead of the text, so that a
/// report never quotes a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Starts at 1.
    pub seq: u64,
    /// Chosen by the sender, or by the server for a system entry.
    pub message_id: String,
    /// `false` for a system entry.
    pub is_text: bool,
    /// The participant who sent it.
    pub sender: String,
    pub digest: u64,
    /// Milliseconds since the epoch.
    pub sent_at: u64,
}

impl Entry {
    /// Reads an entry from a `message` event, a message in a reply or a row of the table, whose fields have the same
    /// names. Returns `None` if a field is missing or has the wrong type.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            seq: value["seq"].as_u64().filter(|seq| *seq > 0)?,
            message_id: value["message_id"].as_str()?.to_owned(),
            is_text: match value["kind"].as_str()? {
                "text" => true,
                "system" => false,
                _ => return None,
            },
            sender: value["sender"]["participant"].as_str()?.to_owned(),
            digest: digest(value["message"].as_str()?),
            sent_at: value["sent_at"].as_u64()?,
        })
    }
}

/// A digest of a text. It is stable within one run of the checker.
#[must_use]
pub fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_protocol_example() {
        let event = json!({"type": "message", "room_id": "consult:u1:h9", "seq": 42, "message_id": "a", "kind": "text",
            "sender": {"participant": "user:u1", "user_id": "u1", "name": "Aiko"}, "message": "네", "language": "ko",
            "sent_at": 1_795_200_000_000_u64, "translations": {}, "reply_to": null});
        let entry = Entry::read(&event).unwrap();
        assert_eq!(entry.seq, 42);
        assert!(entry.is_text);
        assert_eq!(entry.sender, "user:u1");
        assert_eq!(entry.digest, digest("네"));
    }

    #[test]
    fn entry_needs_positive_seq() {
        assert_eq!(Entry::read(&json!({"seq": 0, "message_id": "a", "kind": "text"})), None);
        assert_eq!(Entry::read(&json!({})), None);
    }
}
