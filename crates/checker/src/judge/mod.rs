//! Judges a recorded run by the promises. Pure functions: from what the clients recorded and what the tables hold to what
//! contradicts a promise, with the evidence.

mod clients;
mod derived;
mod log;
mod pushes;
mod statuses;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::account::Account;
use crate::evidence::Evidence;

/// Everything that a run left behind.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Who may know of which room: the participants of each.
    pub rooms: BTreeMap<String, BTreeSet<String>>,
    /// What the clients recorded.
    pub accounts: Vec<Account>,
    /// What the tables held once all was quiet.
    pub evidence: Evidence,
    /// Whether every frame to an open connection arrived for certain.
    pub frames_arrived: bool,
    /// Whether every change went through every reader in its room's order, and none to the failure destination.
    pub all_read: bool,
}

/// A way to break a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An acknowledged message is not in its room's log under the acknowledged number.
    AcknowledgedLost,
    /// One message was acknowledged in two ways.
    AcknowledgedTwice,
    /// A message stands in the log twice.
    Doubled,
    /// A log holds a text that nobody sent.
    Unsent,
    /// A log's numbers are not 1..n.
    Hole,
    /// Time runs backwards within a log, or the count of its texts is wrong.
    Disorder,
    /// The sends table and the log disagree.
    SendRow,
    /// A client got a frame about a room that is none of its own.
    Foreign,
    /// A client has shown something else than its room's log.
    Shown,
    /// Two different entries came under one number.
    Contradiction,
    /// An entry was never pushed to a connection that stood from before it was sent until all was quiet.
    NeverPushed,
    /// `sync` called incomplete what it gave complete.
    SilentGap,
    /// Paging through history gives something else than the log.
    Paged,
    /// A room's head disagrees with its log.
    Head,
    /// A member's read mark disagrees with the log, or went back.
    Mark,
    /// A room list disagrees with the logs.
    Listed,
    /// A consult's status disagrees with its log, or with where the hospital has it filed.
    Status,
    /// A request was refused though nothing was wrong with it.
    Refused,
    /// A request was never answered, though all was quiet.
    Unanswered,
    /// A frame is not as the protocol says, or too large.
    Frame,
    /// A row of a table cannot be read.
    Row,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// In which way.
    pub kind: Kind,
    /// What shows it, in one sentence that quotes nobody's words.
    pub evidence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.kind, self.evidence)
    }
}

impl Violation {
    fn new(kind: Kind, evidence: impl Into<String>) -> Self {
        Self { kind, evidence: evidence.into() }
    }
}

/// Everything that contradicts a promise.
#[must_use]
pub fn judge(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    log::judge(history, &mut violations);
    clients::judge(history, &mut violations);
    pushes::judge(history, &mut violations);
    derived::judge(history, &mut violations);
    statuses::judge(history, &mut violations);
    violations
}
