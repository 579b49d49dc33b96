//! The logs themselves: promises 1 to 3.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{History, Kind, Violation};
use crate::account::{Account, Sent};
use crate::evidence::Logged;

pub(super) fn judge(history: &History, violations: &mut Vec<Violation>) {
    for row in &history.evidence.unreadable {
        violations.push(Violation::new(Kind::Row, format!("{row} cannot be read")));
    }
    for room in history.rooms.keys().filter(|room| !history.evidence.logs.contains_key(*room)) {
        violations.push(Violation::new(Kind::Hole, format!("{room} has no log at all")));
    }
    let mut sent = HashMap::new();
    for account in &history.accounts {
        for (message_id, message) in &account.sent {
            sent.insert((message.room.as_str(), account.participant.as_str(), message_id.as_str()), message);
        }
    }
    for (room, log) in &history.evidence.logs {
        numbers(room, log, violations);
        order(room, log, violations);
        authors(room, log, &sent, violations);
    }
    for account in &history.accounts {
        acknowledgements(history, account, violations);
    }
    send_rows(history, violations);
}

/// 1..n without a hole.
fn numbers(room: &str, log: &[Logged], violations: &mut Vec<Violation>) {
    for (logged, expected) in log.iter().zip(1..) {
        if logged.entry.seq != expected {
            let seq = logged.entry.seq;
            violations.push(Violation::new(Kind::Hole, format!("in {room}, {seq} stands where {expected} belongs")));
            return;
        }
    }
}

/// `sent_at` never goes backwards, and `text_count` counts the texts.
fn order(room: &str, log: &[Logged], violations: &mut Vec<Violation>) {
    for pair in log.windows(2) {
        if pair[1].entry.sent_at < pair[0].entry.sent_at {
            let seq = pair[1].entry.seq;
            violations
                .push(Violation::new(Kind::Disorder, format!("in {room}, {seq} is older than the entry before it")));
        }
    }
    let mut texts = 0;
    for logged in log {
        texts += u64::from(logged.entry.text);
        if logged.text_count != texts {
            let (seq, count) = (logged.entry.seq, logged.text_count);
            violations.push(Violation::new(
                Kind::Disorder,
                format!("in {room}, {seq} counts {count} texts where there are {texts}"),
            ));
            return;
        }
    }
}

/// Every text was sent, by its sender, and stands there once: acknowledged or not.
fn authors(room: &str, log: &[Logged], sent: &HashMap<(&str, &str, &str), &Sent>, violations: &mut Vec<Violation>) {
    let mut seen: HashMap<(&str, &str), u64> = HashMap::new();
    for entry in log.iter().map(|logged| &logged.entry).filter(|entry| entry.text) {
        let (sender, id, seq) = (entry.sender.as_str(), entry.message_id.as_str(), entry.seq);
        match sent.get(&(room, sender, id)) {
            Some(message) if message.digest == entry.digest => {}
            Some(_) => {
                violations.push(Violation::new(Kind::Unsent, format!("in {room}, {seq} has not the words of {id}")));
            }
            None => violations.push(Violation::new(Kind::Unsent, format!("in {room}, nobody sent {seq} ({id})"))),
        }
        if let Some(first) = seen.insert((sender, id), seq) {
            let acknowledged = sent.get(&(room, sender, id)).is_some_and(|message| !message.acknowledged.is_empty());
            let which = if acknowledged { "acknowledged" } else { "unacknowledged" };
            violations.push(Violation::new(
                Kind::Doubled,
                format!("in {room}, the {which} message {id} of {sender} stands under {first} and under {seq}"),
            ));
        }
    }
}

/// What was acknowledged is in the log under that number, and every repetition said the same.
fn acknowledgements(history: &History, account: &Account, violations: &mut Vec<Violation>) {
    for (id, message) in &account.sent {
        let Some(first) = message.acknowledged.first() else { continue };
        if let Some(other) = message.acknowledged.iter().find(|other| *other != first) {
            violations.push(Violation::new(
                Kind::AcknowledgedTwice,
                format!(
                    "{} was told that {id} in {} has number {} ({}), and then {} ({})",
                    account.client, message.room, first.seq, first.sent_at, other.seq, other.sent_at
                ),
            ));
        }
        for acknowledged in message.acknowledged.iter().collect::<BTreeSet<_>>() {
            let log = history.evidence.logs.get(&message.room);
            let entry = log.and_then(|log| find(log, acknowledged.seq)).map(|logged| &logged.entry);
            let there = entry.is_some_and(|entry| {
                entry.message_id == *id && entry.sender == account.participant && entry.sent_at == acknowledged.sent_at
            });
            if !there {
                let (room, seq) = (&message.room, acknowledged.seq);
                let instead = entry.map_or_else(|| "nothing".to_owned(), |entry| entry.message_id.clone());
                violations.push(Violation::new(
                    Kind::AcknowledgedLost,
                    format!("{} was told that {id} has number {seq} in {room}, where {instead} stands", account.client),
                ));
            }
        }
    }
}

fn find(log: &[Logged], seq: u64) -> Option<&Logged> {
    log.binary_search_by_key(&seq, |logged| logged.entry.seq).ok().map(|index| &log[index])
}

/// Every text has its row in the sends table, and every row its text.
fn send_rows(history: &History, violations: &mut Vec<Violation>) {
    let rows: BTreeMap<(&str, &str), u64> =
        history.evidence.sends.iter().map(|(room, key, seq)| ((room.as_str(), key.as_str()), *seq)).collect();
    let mut texts = BTreeMap::new();
    for (room, log) in &history.evidence.logs {
        for entry in log.iter().map(|logged| &logged.entry).filter(|entry| entry.text) {
            texts.insert((room.as_str(), format!("{}#{}", entry.sender, entry.message_id)), entry.seq);
        }
    }
    for ((room, key), seq) in &texts {
        match rows.get(&(*room, key.as_str())) {
            Some(row) if row == seq => {}
            Some(row) => violations.push(Violation::new(
                Kind::SendRow,
                format!("in {room}, the sends table has {row} for {key}, and the log {seq}"),
            )),
            None => violations.push(Violation::new(
                Kind::SendRow,
                format!("in {room}, the sends table knows nothing of {key} ({seq})"),
            )),
        }
    }
    for ((room, key), seq) in rows {
        if !texts.contains_key(&(room, key.to_owned())) {
            violations.push(Violation::new(
                Kind::SendRow,
                format!("in {room}, the sends table has {seq} for {key}, which no log has"),
            ));
        }
    }
}
