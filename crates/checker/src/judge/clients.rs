//! What the clients saw: each displayed its rooms' logs and nothing else, and every valid request was answered.

use super::{Kind, RunHistory, Violation};
use crate::entry::Entry;
use crate::history::ClientHistory;
use crate::snapshot::LogRow;

pub(super) fn judge(run: &RunHistory, violations: &mut Vec<Violation>) {
    for client in &run.clients {
        let mut found = Vec::new();
        displayed(run, client, &mut found);
        foreign_rooms(run, client, &mut found);
        read_history(run, client, &mut found);
        answers(client, &mut found);
        violations.extend(found.into_iter().map(|(kind, details)| {
            let client = &client.client;
            Violation::new(kind, format!("{client} {details}"))
        }));
    }
}

/// The kind, and the sentence after the client's name.
type Found = Vec<(Kind, String)>;

fn displayed(run: &RunHistory, client: &ClientHistory, found: &mut Found) {
    for (room, members) in &run.members {
        if !members.contains(&client.participant) {
            continue;
        }
        let displayed = client.displayed.get(room).map(Vec::as_slice).unwrap_or_default();
        if let Some(difference) = first_difference(displayed, run.snapshot.log(room)) {
            found.push((Kind::Displayed, format!("displayed in {room} {difference}")));
        }
    }
    for (room, first, second) in &client.conflicts {
        let seq = first.seq;
        let first = describe(first);
        let second = describe(second);
        let details = format!("received two entries with seq {seq} of {room}: {first} and {second}");
        found.push((Kind::ConflictingEntries, details));
    }
}

fn foreign_rooms(run: &RunHistory, client: &ClientHistory, found: &mut Found) {
    for room in client.displayed.keys() {
        if !run.members.get(room).is_some_and(|members| members.contains(&client.participant)) {
            found.push((Kind::ForeignRoom, format!("displayed entries of {room}, of which it is no member")));
        }
    }
    for (room, kind) in &client.foreign_frames {
        let details = format!("received a frame of type {kind} about {room}, of which it is no member");
        found.push((Kind::ForeignRoom, details));
    }
}

fn read_history(run: &RunHistory, client: &ClientHistory, found: &mut Found) {
    for (room, reached, last_seq) in &client.silent_gaps {
        let details = format!("received a complete sync of {room} up to seq {reached} instead of {last_seq}");
        found.push((Kind::SilentGap, details));
    }
    for (room, paged) in &client.paged_logs {
        for (direction, entries) in [("forward", &paged.forward), ("backward", &paged.backward)] {
            if let Some(difference) = first_difference(entries, run.snapshot.log(room)) {
                found.push((Kind::PagedHistory, format!("paged {direction} through {room} and got {difference}")));
            }
        }
    }
}

fn answers(client: &ClientHistory, found: &mut Found) {
    for (action, code) in &client.rejected {
        found.push((Kind::Rejected, format!("sent a valid {action}, which was rejected with {code}")));
    }
    for action in &client.unanswered {
        found.push((Kind::Unanswered, format!("never received an answer to {action}")));
    }
    for problem in &client.malformed {
        found.push((Kind::MalformedFrame, format!("received a frame that violates the protocol: {problem}")));
    }
    for (kind, bytes) in &client.oversized {
        found.push((Kind::MalformedFrame, format!("received a frame of {bytes} bytes: {kind}")));
    }
}

/// Describes the first place where a copy of a log differs from it.
fn first_difference(copy: &[Entry], log: &[LogRow]) -> Option<String> {
    let mut pairs = copy.iter().zip(log.iter().map(|row| &row.entry));
    if let Some((actual, expected)) = pairs.find(|(actual, expected)| actual != expected) {
        return Some(format!("{} where the log has {}", describe(actual), describe(expected)));
    }
    (copy.len() != log.len()).then(|| format!("{} of {} entries", copy.len(), log.len()))
}

fn describe(entry: &Entry) -> String {
    let Entry { seq, message_id, sender, sent_at, digest, is_text: _ } = entry;
    format!("#{seq} ({message_id} from {sender} at {sent_at}, text digest {digest:016x})")
}
