//! What is derived from the logs: heads, read marks and room lists, which agree with them once all is quiet.

use std::collections::BTreeMap;

use super::{History, Kind, Violation};
use crate::account::{Account, Listed};
use crate::evidence::{Head, Logged};

pub(super) fn judge(history: &History, violations: &mut Vec<Violation>) {
    for (room, log) in &history.evidence.logs {
        head(history, room, log, violations);
        for (participant, seat) in history.evidence.seats.get(room).into_iter().flatten() {
            let least = if history.all_read { least_mark(log, participant) } else { 0 };
            if seat.last_read_seq < least {
                let read = seat.last_read_seq;
                let evidence = format!(
                    "in {room}, {participant} has read up to {read}, and had read what was before their own texts up to {least}"
                );
                violations.push(Violation::new(Kind::Mark, evidence));
            }
            let texts = texts_up_to(log, seat.last_read_seq);
            if seat.last_read_seq > last_seq(log) || seat.read_text_count != texts {
                violations.push(Violation::new(
                    Kind::Mark,
                    format!(
                        "in {room} of {} entries, {participant} has read up to {} and {} texts, where there are {texts}",
                        log.len(),
                        seat.last_read_seq,
                        seat.read_text_count
                    ),
                ));
            }
        }
    }
    for (room, members) in &history.rooms {
        let seats = history.evidence.seats.get(room);
        for member in members.iter().filter(|member| !seats.is_some_and(|seats| seats.contains_key(*member))) {
            violations.push(Violation::new(Kind::Mark, format!("{member} has no seat in {room}")));
        }
    }
    for account in &history.accounts {
        marks(history, account, violations);
        list(history, account, violations);
    }
}

fn last_seq(log: &[Logged]) -> u64 {
    log.last().map_or(0, |logged| logged.entry.seq)
}

fn texts_up_to(log: &[Logged], seq: u64) -> u64 {
    log.iter().filter(|logged| logged.entry.text && logged.entry.seq <= seq).count() as u64
}

/// How far somebody has read at least who never said so: to the end of their own texts, wherever all before these was read. The log
/// alone says it, whatever mark is stored.
fn least_mark(log: &[Logged], participant: &str) -> u64 {
    let mut least = 0;
    let texts = log.iter().filter(|logged| logged.entry.text);
    for own in texts.take_while(|logged| logged.entry.sender == participant) {
        least = own.entry.seq;
    }
    least
}

fn last_text(log: &[Logged]) -> u64 {
    log.iter().rfind(|logged| logged.entry.text).map_or(0, |logged| logged.entry.seq)
}

fn head(history: &History, room: &str, log: &[Logged], violations: &mut Vec<Violation>) {
    let expected = Head {
        last_seq: last_seq(log),
        text_count: texts_up_to(log, u64::MAX),
        last_text: last_text(log),
        updated_at: log.last().map_or(0, |logged| logged.entry.sent_at),
    };
    match history.evidence.heads.get(room) {
        Some(head) if *head == expected => {}
        Some(head) => violations
            .push(Violation::new(Kind::Head, format!("the head of {room} says {head:?}, and its log {expected:?}"))),
        None => violations.push(Violation::new(Kind::Head, format!("{room} has a log and no row"))),
    }
}

/// A mark that was acknowledged does not go back.
fn marks(history: &History, account: &Account, violations: &mut Vec<Violation>) {
    for (room, mark) in &account.marks {
        let seat = history.evidence.seats.get(room).and_then(|seats| seats.get(&account.participant));
        let kept = seat.map_or(0, |seat| seat.last_read_seq);
        if kept < *mark {
            let client = &account.client;
            violations.push(Violation::new(
                Kind::Mark,
                format!("{client} was told that {room} is read up to {mark}, and it is up to {kept}"),
            ));
        }
    }
}

/// The list has each of the caller's rooms once, with what its log and the caller's mark say.
fn list(history: &History, account: &Account, violations: &mut Vec<Violation>) {
    let client = &account.client;
    for room in &account.disordered {
        violations
            .push(Violation::new(Kind::Listed, format!("{client} was listed {room} behind a room that is older")));
    }
    let mut rows: BTreeMap<&str, &Listed> = BTreeMap::new();
    for row in &account.list {
        if rows.insert(&row.room, row).is_some() {
            violations.push(Violation::new(Kind::Listed, format!("{client} was listed {} twice", row.room)));
        }
    }
    for (room, members) in history.rooms.iter().filter(|(_, members)| members.contains(&account.participant)) {
        let log = history.evidence.logs.get(room).map(Vec::as_slice).unwrap_or_default();
        let seat = history.evidence.seats.get(room).and_then(|seats| seats.get(&account.participant));
        let last_read_seq = seat.map_or(0, |seat| seat.last_read_seq);
        let expected = Listed {
            room: room.clone(),
            last_seq: last_seq(log),
            last_text: last_text(log),
            last_read_seq,
            unread: texts_up_to(log, u64::MAX) - texts_up_to(log, last_read_seq),
        };
        match rows.remove(room.as_str()) {
            Some(row) if *row == expected => {}
            Some(row) => violations
                .push(Violation::new(Kind::Listed, format!("{client} was listed {row:?}, where it is {expected:?}"))),
            None => violations.push(Violation::new(
                Kind::Listed,
                format!("{client} was not listed {room}, which has {} members", members.len()),
            )),
        }
    }
    for room in rows.keys() {
        violations
            .push(Violation::new(Kind::Listed, format!("{client} was listed {room}, which is none of its rooms")));
    }
}
