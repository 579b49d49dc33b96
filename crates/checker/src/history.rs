//! What one client recorded: what it sent, what was acknowledged and what it saw. Judging is left to [`crate::judge`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use crate::entry::Entry;

#[derive(Debug, Clone, Default)]
pub struct ClientHistory {
    /// The device's name: `<user id>/<device number>`.
    pub client: String,
    /// `user:…` or `hospital:…`.
    pub participant: String,
    /// The messages that it sent, by `message_id`.
    pub sent: BTreeMap<String, Sent>,
    /// The entries that it displayed in each of its rooms, in the order of display.
    pub displayed: BTreeMap<String, Vec<Entry>>,
    /// The `seq`s that arrived as an event or as the reply to its own message, by room.
    pub delivered: BTreeMap<String, BTreeSet<u64>>,
    /// Since when its last connection was entitled to each room's events, in milliseconds since the epoch. Empty if no
    /// connection stayed open until everything was quiet.
    pub subscribed_since: BTreeMap<String, u64>,
    /// Pairs of different entries with the same `seq`, with their room.
    pub conflicts: Vec<(String, Entry, Entry)>,
    /// Frames about other people's rooms: the room and the frame's type.
    pub foreign_frames: Vec<(String, String)>,
    /// Frames that violate the protocol, with the reason.
    pub malformed: Vec<String>,
    /// Valid requests that were rejected: the action and the error code.
    pub rejected: Vec<(String, String)>,
    /// Replies to `sync` that claimed to be complete and were not: the room, the `seq` they reached and their
    /// `last_seq`.
    pub silent_gaps: Vec<(String, u64, u64)>,
    /// Frames over 128 KB, and pages over 32 KB that hold more than one message: the kind and the size in bytes.
    pub oversized: Vec<(String, usize)>,
    /// The highest read mark that was acknowledged, by room.
    pub read_marks: BTreeMap<String, u64>,
    /// The status changes that were acknowledged: the room, the status and the `seq` of the entry that records it.
    pub statuses: Vec<(String, String, u64)>,
    /// All rows of the room list once everything was quiet.
    pub room_list: Vec<ListedRoom>,
    /// The rooms that the room list put after an older room.
    pub misordered_rooms: Vec<String>,
    /// The complete history of the rooms that this client paged through once everything was quiet.
    pub paged_logs: BTreeMap<String, PagedLog>,
    /// The actions of requests that were never answered.
    pub unanswered: Vec<String>,
    pub counts: Counts,
}

/// A message that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub room: String,
    pub digest: u64,
    /// Every acknowledgement, including those of retries.
    pub acknowledgements: Vec<Acknowledgement>,
}

/// A reply to `sendMessage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledgement {
    pub seq: u64,
    /// Milliseconds since the epoch.
    pub sent_at: u64,
}

/// A row of a room list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRoom {
    pub room: String,
    pub last_seq: u64,
    /// The `seq` of the last text, or 0.
    pub last_text: u64,
    pub last_read_seq: u64,
    pub unread: u64,
}

/// A room's log, read page by page in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PagedLog {
    /// From the first entry on, with `after_seq`.
    pub forward: Vec<Entry>,
    /// From the last entry back, with `before_seq`. In ascending order, like the pages.
    pub backward: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages sent. A message that is retried counts once.
    pub sent: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// Requests repeated.
    pub retries: u64,
    /// Replies with `duplicate: true`.
    pub duplicate_replies: u64,
    /// Messages given up before they were acknowledged.
    pub abandoned: u64,
    /// Entries received as an event.
    pub pushed: u64,
    /// Entries received again, in any way.
    pub duplicate_entries: u64,
    /// Entries received again as an event.
    pub duplicate_pushes: u64,
    /// Entries first received from `sync` or history because no push brought them.
    pub repaired: u64,
    /// Gaps that grew old enough to be repaired.
    pub gaps: u64,
    /// `sync` requests, including heartbeats.
    pub syncs: u64,
    /// Connections opened.
    pub connections: u64,
    /// Connections closed by the server: at a limit of API Gateway, or because it was stopped.
    pub closed_by_server: u64,
    /// Handshakes that failed.
    pub failed_handshakes: u64,
    /// Requests about other people's rooms, which must all be rejected.
    pub unauthorized: u64,
    /// Errors after which a request is retried: `internal`, `rate_limited` and API Gateway's own error frames.
    pub retryable_errors: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.retries += other.retries;
        self.duplicate_replies += other.duplicate_replies;
        self.abandoned += other.abandoned;
        self.pushed += other.pushed;
        self.duplicate_entries += other.duplicate_entries;
        self.duplicate_pushes += other.duplicate_pushes;
        self.repaired += other.repaired;
        self.gaps += other.gaps;
        self.syncs += other.syncs;
        self.connections += other.connections;
        self.closed_by_server += other.closed_by_server;
        self.failed_handshakes += other.failed_handshakes;
        self.unauthorized += other.unauthorized;
        self.retryable_errors += other.retryable_errors;
    }
}
