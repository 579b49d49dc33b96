//! What is derived from the logs: heads, read marks and room lists agree with them once everything is quiet.

use std::collections::BTreeMap;

use super::{Kind, RunHistory, Violation};
use crate::history::{ClientHistory, ListedRoom};
use crate::snapshot::{Head, LogRow, Member};

pub(super) fn judge(run: &RunHistory, violations: &mut Vec<Violation>) {
    for (room, log) in &run.snapshot.logs {
        head(run, room, log, violations);
        for (participant, member) in run.snapshot.members.get(room).into_iter().flatten() {
            read_mark(run, room, participant, member, violations);
        }
    }
    for (room, members) in &run.members {
        for member in members.iter().filter(|member| run.snapshot.member(room, member).is_none()) {
            violations.push(Violation::new(Kind::ReadMark, format!("{member} is missing from the members of {room}")));
        }
    }
    for client in &run.clients {
        acknowledged_marks(run, client, violations);
        room_list(run, client, violations);
    }
}

fn head(run: &RunHistory, room: &str, log: &[LogRow], violations: &mut Vec<Violation>) {
    let expected = Head {
        last_seq: last_seq(log),
        text_count: texts_up_to(log, u64::MAX),
        last_text: last_text(log),
        updated_at: log.last().map_or(0, |row| row.entry.sent_at),
    };
    match run.snapshot.heads.get(room) {
        Some(head) if *head == expected => {}
        Some(head) => {
            let details = format!("the head of {room} is {head:?}, but {expected:?} follows from its log");
            violations.push(Violation::new(Kind::RoomHead, details));
        }
        None => violations.push(Violation::new(Kind::RoomHead, format!("{room} has a log and no row"))),
    }
}

fn read_mark(run: &RunHistory, room: &str, participant: &str, member: &Member, violations: &mut Vec<Violation>) {
    let log = run.snapshot.log(room);
    let mark = member.last_read_seq;
    let least = if run.all_records_in_order { least_mark(log, participant) } else { 0 };
    if mark < least {
        let details = format!(
            "{participant} has read {room} up to {mark} instead of at least {least}, the last text before anybody \
             else's"
        );
        violations.push(Violation::new(Kind::ReadMark, details));
    }
    let read = texts_up_to(log, mark);
    let own = own_texts_after(log, participant, mark);
    // Where records are read out of order, own texts may stay uncounted.
    let at_least = if run.all_records_in_order { read + own } else { read };
    if mark > last_seq(log) || !(at_least..=read + own).contains(&member.read_text_count) {
        let count = member.read_text_count;
        let entries = log.len();
        let details = format!(
            "{participant} has read {room} up to {mark} of {entries} entries and {count} texts instead of {read} and \
             {own} own ones after them"
        );
        violations.push(Violation::new(Kind::ReadMark, details));
    }
}

fn last_seq(log: &[LogRow]) -> u64 {
    log.last().map_or(0, |row| row.entry.seq)
}

fn last_text(log: &[LogRow]) -> u64 {
    log.iter().rfind(|row| row.entry.is_text).map_or(0, |row| row.entry.seq)
}

fn texts_up_to(log: &[LogRow], seq: u64) -> u64 {
    log.iter().filter(|row| row.entry.is_text && row.entry.seq <= seq).count() as u64
}

fn own_texts_after(log: &[LogRow], participant: &str, seq: u64) -> u64 {
    let is_own = |row: &&LogRow| row.entry.is_text && row.entry.seq > seq && row.entry.sender == participant;
    log.iter().filter(is_own).count() as u64
}

/// How far somebody has read at least, even without having marked anything: to the end of their own texts, as long as
/// nobody else wrote a text before these. This follows from the log alone, independently of the stored mark.
fn least_mark(log: &[LogRow], participant: &str) -> u64 {
    let texts = log.iter().filter(|row| row.entry.is_text);
    let own = texts.take_while(|row| row.entry.sender == participant);
    own.last().map_or(0, |row| row.entry.seq)
}

/// An acknowledged mark never moves back.
fn acknowledged_marks(run: &RunHistory, client: &ClientHistory, violations: &mut Vec<Violation>) {
    for (room, acknowledged) in &client.read_marks {
        let stored = stored_mark(run, room, client);
        if stored < *acknowledged {
            let name = &client.client;
            let details = format!("{name} got {room} acknowledged as read up to {acknowledged}, but it is {stored}");
            violations.push(Violation::new(Kind::ReadMark, details));
        }
    }
}

fn stored_mark(run: &RunHistory, room: &str, client: &ClientHistory) -> u64 {
    run.snapshot.member(room, &client.participant).map_or(0, |member| member.last_read_seq)
}

/// The list has each of the caller's rooms once, with what follows from its log and the caller's mark.
fn room_list(run: &RunHistory, client: &ClientHistory, violations: &mut Vec<Violation>) {
    let name = &client.client;
    let mut add = |details: String| violations.push(Violation::new(Kind::RoomList, details));
    for room in &client.misordered_rooms {
        add(format!("the room list of {name} has {room} after an older room"));
    }
    let mut listed: BTreeMap<&str, &ListedRoom> = BTreeMap::new();
    for row in &client.room_list {
        if listed.insert(&row.room, row).is_some() {
            add(format!("the room list of {name} has {} twice", row.room));
        }
    }
    for (room, _) in run.members.iter().filter(|(_, members)| members.contains(&client.participant)) {
        let log = run.snapshot.log(room);
        let last_read_seq = stored_mark(run, room, client);
        let read_texts = run.snapshot.member(room, &client.participant).map_or(0, |member| member.read_text_count);
        let expected = ListedRoom {
            room: room.clone(),
            last_seq: last_seq(log),
            last_text: last_text(log),
            last_read_seq,
            unread: texts_up_to(log, u64::MAX).saturating_sub(read_texts),
        };
        match listed.remove(room.as_str()) {
            Some(row) if *row == expected => {}
            Some(row) => add(format!("the room list of {name} has {row:?} instead of {expected:?}")),
            None => add(format!("the room list of {name} lacks {room}")),
        }
    }
    for room in listed.keys() {
        add(format!("the room list of {name} has {room}, of which it is no member"));
    }
}
