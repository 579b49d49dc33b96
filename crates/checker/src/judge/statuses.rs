//! The statuses of consults: each change stands in the log, follows upon the one before, and the room and the hospital's
//! list say the last one.

use super::{History, Kind, Violation};

/// What a consult begins with.
const FIRST: &str = "waiting";

pub(super) fn judge(history: &History, violations: &mut Vec<Violation>) {
    let mut say = |evidence: String| violations.push(Violation::new(Kind::Status, evidence));
    for (room, log) in history.evidence.logs.iter().filter(|(room, _)| room.starts_with("consult:")) {
        let mut status = FIRST;
        for logged in log {
            let Some((from, to)) = &logged.moved else { continue };
            if from != status {
                say(format!("in {room}, {} moves from {from}, where it was {status}", logged.entry.seq));
            }
            status = to;
        }
        let kept = history.evidence.statuses.get(room).map_or("nothing", String::as_str);
        if kept != status {
            say(format!("{room} is {kept}, and its log says {status}"));
        }
        let filed = history.evidence.filed.get(room).map_or("nothing", String::as_str);
        let hospital = room.rsplit(':').next().unwrap_or_default();
        if filed != format!("hospital:{hospital}#{status}") {
            say(format!("{room} is filed under {filed}, and its log says {status}"));
        }
    }
    for account in &history.accounts {
        for (room, status, seq) in &account.statuses {
            let log = history.evidence.logs.get(room).map(Vec::as_slice).unwrap_or_default();
            let recorded = log.iter().find(|logged| logged.entry.seq == *seq).and_then(|logged| logged.moved.as_ref());
            // A consult that was never moved is as its first entry made it.
            let first = *seq == 1 && status == FIRST;
            if !first && recorded.is_none_or(|(_, to)| to != status) {
                say(format!("{} was told that {seq} of {room} sets it {status}, and it does not", account.client));
            }
        }
    }
}
