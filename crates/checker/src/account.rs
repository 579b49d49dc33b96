//! What one client records: what it sent, was told and saw. Nothing here judges.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use crate::entry::Entry;

/// One client's record of a run.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Which client: its person's user id and the device's number.
    pub client: String,
    /// Whom it speaks as: `user:…` or `hospital:…`.
    pub participant: String,
    /// What it sent, by `message_id`.
    pub sent: BTreeMap<String, Sent>,
    /// What it has shown of each of its rooms, in the order in which it did.
    pub shown: BTreeMap<String, Vec<Entry>>,
    /// What came by a push or as the reply to its own message, by room.
    pub heard: BTreeMap<String, BTreeSet<u64>>,
    /// Since when its last connection was entitled to hear each room's entries, in milliseconds since the epoch. Empty
    /// where no connection stood until all was quiet.
    pub listening_since: BTreeMap<String, u64>,
    /// Two different entries under one number.
    pub contradictions: Vec<(String, Entry, Entry)>,
    /// Frames about rooms that are none of its own: the room and the frame's type.
    pub foreign: Vec<(String, String)>,
    /// Frames that are not as PROTOCOL says.
    pub malformed: Vec<String>,
    /// Requests that were refused though nothing was wrong with them: the action and the code.
    pub refused: Vec<(String, String)>,
    /// Replies to `sync` that called incomplete what they gave complete: the room, how far it led, and the `last_seq` it named.
    pub silent_gaps: Vec<(String, u64, u64)>,
    /// Frames over 128 KB, and pages over 32 KB that hold more than one message: the frame's kind and size in bytes.
    pub oversized: Vec<(String, usize)>,
    /// The highest read mark that was acknowledged, by room.
    pub marks: BTreeMap<String, u64>,
    /// Statuses that it set and that were acknowledged: the room, the status, the number of the entry that records it.
    pub statuses: Vec<(String, String, u64)>,
    /// The room list, as it was once all was quiet; every row of it.
    pub list: Vec<Listed>,
    /// Pages of the room list, by the room at which they are not in the order of their last entries.
    pub disordered: Vec<String>,
    /// What history gave of the rooms that this client paged through once all was quiet: forwards and backwards, both ascending.
    pub pages: BTreeMap<String, Pages>,
    /// Requests that were never answered, though all was quiet: their actions.
    pub unanswered: Vec<String>,
    /// How often what happened.
    pub counts: Counts,
}

/// A message that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The room.
    pub room: String,
    /// Of its words.
    pub digest: u64,
    /// Every acknowledgement that came, repetitions included.
    pub acknowledged: Vec<Acknowledged>,
}

/// A reply to `sendMessage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledged {
    /// The number that the message was given.
    pub seq: u64,
    /// Milliseconds since the epoch.
    pub sent_at: u64,
}

/// A row of a room list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The room.
    pub room: String,
    /// The number of its last entry.
    pub last_seq: u64,
    /// The number of its last text, 0 where there is none.
    pub last_text: u64,
    /// How far the caller has read.
    pub last_read_seq: u64,
    /// How many texts are after that.
    pub unread: u64,
}

/// A room's log, read page by page in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// From the first entry on, by `after_seq`.
    pub forwards: Vec<Entry>,
    /// From the last entry back, by `before_seq`; ascending as the pages are.
    pub backwards: Vec<Entry>,
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that were sent, each once however often it was repeated.
    pub sends: u64,
    /// Those of them that were acknowledged.
    pub acknowledged: u64,
    /// Requests that were repeated.
    pub repeated: u64,
    /// Replies that said `duplicate`.
    pub duplicates: u64,
    /// Messages given up by their sender before a reply came.
    pub abandoned: u64,
    /// Entries that came by an event.
    pub pushed: u64,
    /// Entries that came once more, by whatever way.
    pub doubles: u64,
    /// Those of them that came by an event: what a push brought though it was there.
    pub pushed_again: u64,
    /// Entries that came first by `sync` or history: what no push had brought.
    pub repaired: u64,
    /// Gaps that grew old enough to be asked for.
    pub gaps: u64,
    /// `sync` requests, heartbeats included.
    pub syncs: u64,
    /// Connections made.
    pub connections: u64,
    /// Connections that the server closed: at a limit of AWS, or when it was stopped.
    pub closed: u64,
    /// Handshakes refused.
    pub refused_handshakes: u64,
    /// Requests about other people's rooms, all of which must be refused.
    pub pried: u64,
    /// Errors that say "repeat it": `internal`, `rate_limited`, and API Gateway's own frames.
    pub failures: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.sends += other.sends;
        self.acknowledged += other.acknowledged;
        self.repeated += other.repeated;
        self.duplicates += other.duplicates;
        self.abandoned += other.abandoned;
        self.pushed += other.pushed;
        self.doubles += other.doubles;
        self.pushed_again += other.pushed_again;
        self.repaired += other.repaired;
        self.gaps += other.gaps;
        self.syncs += other.syncs;
        self.connections += other.connections;
        self.closed += other.closed;
        self.refused_handshakes += other.refused_handshakes;
        self.pried += other.pried;
        self.failures += other.failures;
    }
}
