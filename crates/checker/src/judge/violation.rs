//! The input and the output of the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::history::ClientHistory;
use crate::snapshot::DatabaseSnapshot;

/// Everything that a run left behind.
#[derive(Debug, Clone, Default)]
pub struct RunHistory {
    /// The participants who are members of each room.
    pub members: BTreeMap<String, BTreeSet<String>>,
    pub clients: Vec<ClientHistory>,
    /// The tables once everything was quiet.
    pub snapshot: DatabaseSnapshot,
    /// Whether every frame to an open connection is certain to have arrived.
    pub all_frames_arrived: bool,
    /// Whether every change went through every stream reader in its room's order, and none to the failure destination.
    pub all_records_in_order: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An acknowledged message is not in its room's log with the acknowledged `seq`.
    LostAcknowledged,
    /// One message was acknowledged with two different results.
    ConflictingAcknowledgements,
    /// A message is in the log twice.
    DuplicateMessage,
    /// A log has a text that nobody sent.
    UnsentText,
    /// The `seq`s of a log are not 1..n.
    Gap,
    /// Time runs backwards within a log, or the count of its texts is wrong.
    OutOfOrder,
    /// The idempotency records and the log disagree.
    IdempotencyRecord,
    /// A client received a frame about a room that is not its own.
    ForeignRoom,
    /// A client displayed something other than its room's log.
    Displayed,
    /// A client received two different entries with the same `seq`.
    ConflictingEntries,
    /// An entry was not pushed to a connection that was open from before it was sent until everything was quiet.
    NeverPushed,
    /// `sync` claimed to be complete and was not.
    SilentGap,
    /// Paging through history returns something other than the log.
    PagedHistory,
    /// A room's head disagrees with its log.
    RoomHead,
    /// A member's read mark disagrees with the log, or moved back.
    ReadMark,
    /// A room list disagrees with the logs.
    RoomList,
    /// A consult's status disagrees with its log, or with the hospital's list.
    Status,
    /// A valid request was rejected.
    Rejected,
    /// A request was never answered, although everything was quiet.
    Unanswered,
    /// A frame violates the protocol, or is too large.
    MalformedFrame,
    /// A row of a table cannot be read.
    UnreadableRow,
}

/// A violated guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub kind: Kind,
    /// One sentence that quotes no message.
    pub details: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.kind, self.details)
    }
}

impl Violation {
    pub(super) fn new(kind: Kind, details: impl Into<String>) -> Self {
        Self { kind, details: details.into() }
    }
}
