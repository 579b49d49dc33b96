//! The logs: numbered without gaps, in order, with every acknowledged message exactly once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Kind, RunHistory, Violation};
use crate::history::{ClientHistory, Sent};
use crate::snapshot::LogRow;

/// The sent messages by room, sender and id.
type SentMessages<'a> = HashMap<(&'a str, &'a str, &'a str), &'a Sent>;

pub(super) fn judge(run: &RunHistory, violations: &mut Vec<Violation>) {
    for row in &run.snapshot.unreadable {
        violations.push(Violation::new(Kind::UnreadableRow, format!("{row} cannot be read")));
    }
    for room in run.members.keys().filter(|room| !run.snapshot.logs.contains_key(*room)) {
        violations.push(Violation::new(Kind::Gap, format!("{room} has no log")));
    }
    let mut sent = SentMessages::new();
    for client in &run.clients {
        for (message_id, message) in &client.sent {
            sent.insert((&message.room, &client.participant, message_id), message);
        }
    }
    for (room, log) in &run.snapshot.logs {
        numbering(room, log, violations);
        order(room, log, violations);
        text_counts(room, log, violations);
        texts(room, log, &sent, violations);
    }
    for client in &run.clients {
        acknowledgements(run, client, violations);
    }
    idempotency_records(run, violations);
}

/// `seq` runs from 1 to n without a gap.
fn numbering(room: &str, log: &[LogRow], violations: &mut Vec<Violation>) {
    for (row, expected) in log.iter().zip(1..) {
        let seq = row.entry.seq;
        if seq != expected {
            violations.push(Violation::new(Kind::Gap, format!("{room} has seq {seq} instead of {expected}")));
            return;
        }
    }
}

/// `sent_at` never decreases.
fn order(room: &str, log: &[LogRow], violations: &mut Vec<Violation>) {
    for pair in log.windows(2) {
        if pair[1].entry.sent_at < pair[0].entry.sent_at {
            let seq = pair[1].entry.seq;
            violations.push(Violation::new(Kind::OutOfOrder, format!("#{seq} of {room} is older than #{}", seq - 1)));
        }
    }
}

/// `text_count` counts the texts.
fn text_counts(room: &str, log: &[LogRow], violations: &mut Vec<Violation>) {
    let mut expected = 0;
    for row in log {
        expected += u64::from(row.entry.is_text);
        if row.text_count != expected {
            let seq = row.entry.seq;
            let count = row.text_count;
            let details = format!("#{seq} of {room} has text_count {count} instead of {expected}");
            violations.push(Violation::new(Kind::OutOfOrder, details));
            return;
        }
    }
}

/// Every text was sent by its sender, and is in the log once, acknowledged or not.
fn texts(room: &str, log: &[LogRow], sent: &SentMessages, violations: &mut Vec<Violation>) {
    let mut seqs: HashMap<(&str, &str), u64> = HashMap::new();
    for entry in log.iter().map(|row| &row.entry).filter(|entry| entry.is_text) {
        let seq = entry.seq;
        let sender = entry.sender.as_str();
        let id = entry.message_id.as_str();
        let message = sent.get(&(room, sender, id));
        match message {
            Some(message) if message.digest == entry.digest => {}
            Some(_) => violations
                .push(Violation::new(Kind::UnsentText, format!("#{seq} of {room} has a different text than {id}"))),
            None => violations.push(Violation::new(Kind::UnsentText, format!("nobody sent #{seq} of {room} ({id})"))),
        }
        if let Some(first) = seqs.insert((sender, id), seq) {
            let is_acknowledged = message.is_some_and(|message| !message.acknowledgements.is_empty());
            let which = if is_acknowledged { "acknowledged" } else { "unacknowledged" };
            let details = format!("{room} has the {which} message {id} from {sender} as #{first} and as #{seq}");
            violations.push(Violation::new(Kind::DuplicateMessage, details));
        }
    }
}

/// Every acknowledged message is in the log with the acknowledged `seq`, and every retry got the same answer.
fn acknowledgements(run: &RunHistory, client: &ClientHistory, violations: &mut Vec<Violation>) {
    let name = &client.client;
    for (id, message) in &client.sent {
        let room = &message.room;
        let Some(first) = message.acknowledgements.first() else { continue };
        if let Some(other) = message.acknowledgements.iter().find(|other| *other != first) {
            let details = format!(
                "{name} got {id} in {room} acknowledged as #{} at {} and then as #{} at {}",
                first.seq, first.sent_at, other.seq, other.sent_at
            );
            violations.push(Violation::new(Kind::ConflictingAcknowledgements, details));
        }
        for acknowledgement in message.acknowledgements.iter().collect::<BTreeSet<_>>() {
            let row = run.snapshot.log(room).iter().find(|row| row.entry.seq == acknowledgement.seq);
            let entry = row.map(|row| &row.entry);
            let is_there = entry.is_some_and(|entry| {
                entry.message_id == *id
                    && entry.sender == client.participant
                    && entry.sent_at == acknowledgement.sent_at
            });
            if !is_there {
                let seq = acknowledgement.seq;
                let actual = entry.map_or("nothing", |entry| &entry.message_id);
                let details = format!("{name} got {id} acknowledged as #{seq} of {room}, where the log has {actual}");
                violations.push(Violation::new(Kind::LostAcknowledged, details));
            }
        }
    }
}

/// Every text has an idempotency record, and every record a text.
fn idempotency_records(run: &RunHistory, violations: &mut Vec<Violation>) {
    let mut recorded: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for record in &run.snapshot.idempotency_records {
        recorded.insert((&record.room, &record.key), record.seq);
    }
    let mut logged = BTreeMap::new();
    for (room, log) in &run.snapshot.logs {
        for entry in log.iter().map(|row| &row.entry).filter(|entry| entry.is_text) {
            logged.insert((room.as_str(), format!("{}#{}", entry.sender, entry.message_id)), entry.seq);
        }
    }
    for ((room, key), seq) in &logged {
        let details = match recorded.get(&(*room, key.as_str())) {
            Some(recorded) if recorded == seq => continue,
            Some(recorded) => format!("the record of {key} in {room} has seq {recorded}, and the log has {seq}"),
            None => format!("#{seq} of {room} has no record {key}"),
        };
        violations.push(Violation::new(Kind::IdempotencyRecord, details));
    }
    for ((room, key), seq) in recorded {
        if !logged.contains_key(&(room, key.to_owned())) {
            let details = format!("the record of {key} in {room} has seq {seq}, which is in no log");
            violations.push(Violation::new(Kind::IdempotencyRecord, details));
        }
    }
}
