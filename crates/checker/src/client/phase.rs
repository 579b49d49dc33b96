//! The phases that all clients go through together.

/// What all clients do at the same time. Each reports when it has completed a phase, and goes on receiving until the
/// next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The rooms are opened.
    Opening,
    /// The members who join on their own do so.
    Joining,
    /// Messages are sent.
    Sending,
    /// Every pending operation is answered.
    Settling,
    /// Every client catches up and reads its room list and complete histories; the number counts the attempts.
    Verifying(u32),
    Stopping,
}
