//! Finds entries by time with a binary search: within a log, times never decrease and no number is missing.

use protocol::clock::Timestamp;
use protocol::ids::{RoomId, Seq};
use shared::adapters::dynamodb::{Log, TableError};

/// The number of the first entry appended at `time` or later; one above the last entry if there is none. Reads about
/// log2(n) entries.
pub async fn first_at(log: &Log, room: &RoomId, time: Timestamp) -> Result<Seq, TableError> {
    let Some(tail) = log.tail(room, 1).await?.into_iter().next() else { return Ok(Seq::FIRST) };
    let mut low = Seq::FIRST;
    let mut high = tail.seq.next();
    while low < high {
        let middle = low.midpoint(high);
        match log.entry(room, middle).await? {
            Some(entry) if entry.sent_at < time => low = middle.next(),
            _ => high = middle,
        }
    }
    Ok(low)
}
