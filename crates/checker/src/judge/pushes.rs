//! What must have come by a push: section 9's promise, that whoever is marked as reached was.

use std::collections::{BTreeMap, BTreeSet};

use super::{History, Kind, Violation};

/// Of a participant with more connections than this, not every one is told each word.
const FULL_DELIVERY: u64 = 10;

/// A client repairs whatever no push brings, so its readings do not show a lost push. But where no frame was lost on its way,
/// each entry came by one to every connection that stood from before it was sent.
pub(super) fn judge(history: &History, violations: &mut Vec<Violation>) {
    if !history.frames_arrived {
        return;
    }
    // Rows may outlive their connections, and a refused handshake may leave one: counted are all that there ever were.
    let mut connections: BTreeMap<&str, u64> = BTreeMap::new();
    for account in &history.accounts {
        let made = account.counts.connections + account.counts.refused_handshakes;
        *connections.entry(&account.participant).or_default() += made;
    }
    let nothing = BTreeSet::new();
    for account in &history.accounts {
        if connections.get(account.participant.as_str()).is_some_and(|made| *made > FULL_DELIVERY) {
            continue;
        }
        for (room, since) in &account.listening_since {
            let heard = account.heard.get(room).unwrap_or(&nothing);
            let log = history.evidence.logs.get(room).map(Vec::as_slice).unwrap_or_default();
            for entry in log.iter().map(|logged| &logged.entry).filter(|entry| entry.sent_at > *since) {
                // The copy of its own message is the reply, which is lost with its function's process.
                let own = account.sent.contains_key(&entry.message_id);
                if !own && !heard.contains(&entry.seq) {
                    violations.push(Violation::new(
                        Kind::NeverPushed,
                        format!(
                            "{} listened to {room} since {since}, and was never pushed {} ({} of {} at {})",
                            account.client, entry.seq, entry.message_id, entry.sender, entry.sent_at
                        ),
                    ));
                }
            }
        }
    }
}
