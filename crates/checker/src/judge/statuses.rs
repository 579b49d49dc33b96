//! The statuses of consults: the log records each change, each change starts from the previous status, and the room and
//! the hospital's list have the last one.

use super::{Kind, RunHistory, Violation};

/// A new consult's status.
const INITIAL_STATUS: &str = "waiting";

pub(super) fn judge(run: &RunHistory, violations: &mut Vec<Violation>) {
    let snapshot = &run.snapshot;
    let mut add = |details: String| violations.push(Violation::new(Kind::Status, details));
    for (room, log) in snapshot.logs.iter().filter(|(room, _)| room.starts_with("consult:")) {
        let mut status = INITIAL_STATUS;
        for row in log {
            let Some(change) = &row.status_change else { continue };
            if change.from != status {
                add(format!(
                    "#{} of {room} changes the status from {}, but it was {status}",
                    row.entry.seq, change.from
                ));
            }
            status = &change.to;
        }
        let stored = snapshot.statuses.get(room).map_or("missing", String::as_str);
        if stored != status {
            add(format!("the status of {room} is {stored}, but {status} in its log"));
        }
        let list_key = snapshot.list_keys.get(room).map_or("nothing", String::as_str);
        let hospital = room.rsplit(':').next().unwrap_or_default();
        if list_key != format!("hospital:{hospital}#{status}") {
            add(format!("{room} is listed under {list_key}, but its status is {status} in its log"));
        }
    }
    for client in &run.clients {
        for (room, status, seq) in &client.statuses {
            let recorded = snapshot.log(room).iter().find(|row| row.entry.seq == *seq);
            let change = recorded.and_then(|row| row.status_change.as_ref());
            // The first entry of a consult implies its initial status.
            let is_initial = *seq == 1 && status == INITIAL_STATUS;
            if !is_initial && change.is_none_or(|change| change.to != *status) {
                add(format!(
                    "{} got the status {status} acknowledged by #{seq} of {room}, which does not record it",
                    client.client
                ));
            }
        }
    }
}
