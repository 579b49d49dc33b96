//! Pushes: every connection that was marked as reached received the entry.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, RunHistory, Violation};

/// A participant with more connections than this does not receive every message in full on each of them.
const FULL_DELIVERY_CONNECTIONS: u64 = 10;

/// A client repairs what no push brings, so its display does not reveal a lost push. But if no frame was lost on its
/// way, each entry must have been pushed to every connection that was open before the entry was sent.
pub(super) fn judge(run: &RunHistory, violations: &mut Vec<Violation>) {
    if !run.all_frames_arrived {
        return;
    }
    // A row may outlive its connection, and a failed handshake may leave one behind, so all connections count.
    let mut connections: BTreeMap<&str, u64> = BTreeMap::new();
    for client in &run.clients {
        *connections.entry(&client.participant).or_default() +=
            client.counts.connections + client.counts.failed_handshakes;
    }
    let nothing = BTreeSet::new();
    for client in &run.clients {
        if connections.get(client.participant.as_str()).is_some_and(|count| *count > FULL_DELIVERY_CONNECTIONS) {
            continue;
        }
        for (room, since) in &client.subscribed_since {
            let delivered = client.delivered.get(room).unwrap_or(&nothing);
            let later = run.snapshot.log(room).iter().map(|row| &row.entry).filter(|entry| entry.sent_at > *since);
            for entry in later {
                // The sender's own copy is the reply, which is lost if its function dies.
                let is_own = client.sent.contains_key(&entry.message_id);
                if !is_own && !delivered.contains(&entry.seq) {
                    let details = format!(
                        "{} was subscribed to {room} since {since} and was never pushed #{} ({} from {} at {})",
                        client.client, entry.seq, entry.message_id, entry.sender, entry.sent_at
                    );
                    violations.push(Violation::new(Kind::NeverPushed, details));
                }
            }
        }
    }
}
