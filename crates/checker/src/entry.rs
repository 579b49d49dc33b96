//! One entry of a room's log, as far as two copies of it must agree.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// A copy of an entry, wherever it was seen: in a frame, on a page of history, in the table. Instead of its words it holds
/// a digest, so that a report never quotes a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// The id that its sender chose; the server's own for a system entry.
    pub message_id: String,
    /// Whether somebody wrote it; system entries are no text.
    pub text: bool,
    /// The participant whose entry it is.
    pub sender: String,
    /// Of its words.
    pub digest: u64,
    /// Milliseconds since the epoch.
    pub sent_at: u64,
}

impl Entry {
    /// Reads an entry from a `message` event, from a message of a reply, or from a row of the table: their fields are named
    /// alike. `None` where a field is missing or of the wrong type.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            seq: value["seq"].as_u64().filter(|seq| *seq > 0)?,
            message_id: value["message_id"].as_str()?.to_owned(),
            text: match value["kind"].as_str()? {
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

/// A digest of words; the same within one run of the checker.
#[must_use]
pub fn digest(words: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_read_from_the_protocols_own_example() {
        let event = json!({"type": "message", "room_id": "consult:u1:h9", "seq": 42, "message_id": "a", "kind": "text",
            "sender": {"participant": "user:u1", "user_id": "u1", "name": "Aiko"}, "message": "네", "language": "ko",
            "sent_at": 1_795_200_000_000_u64, "translations": {}, "reply_to": null});
        let entry = Entry::read(&event).unwrap();
        assert_eq!((entry.seq, entry.text, entry.sender.as_str()), (42, true, "user:u1"));
        assert_eq!(entry.digest, digest("네"));
    }

    #[test]
    fn what_has_no_number_is_no_entry() {
        assert_eq!(Entry::read(&json!({"seq": 0, "message_id": "a", "kind": "text"})), None);
        assert_eq!(Entry::read(&json!({})), None);
    }
}
