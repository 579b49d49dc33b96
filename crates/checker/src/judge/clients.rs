//! What clients saw: promises 4 to 6.

use super::{History, Kind, Violation};
use crate::account::Account;
use crate::entry::Entry;
use crate::evidence::Logged;

pub(super) fn judge(history: &History, violations: &mut Vec<Violation>) {
    for account in &history.accounts {
        let mut say = |kind, evidence: String| {
            violations.push(Violation::new(kind, format!("{} {evidence}", account.client)));
        };
        for (room, members) in &history.rooms {
            if members.contains(&account.participant) {
                let log = history.evidence.logs.get(room).map(Vec::as_slice).unwrap_or_default();
                let shown = account.shown.get(room).map(Vec::as_slice).unwrap_or_default();
                if let Some(difference) = difference(shown, log) {
                    say(Kind::Shown, format!("has shown of {room} {difference}"));
                }
            }
        }
        for room in account.shown.keys() {
            if !is_its_own(history, account, room) {
                say(Kind::Foreign, format!("has shown entries of {room}, which is none of its rooms"));
            }
        }
        for (room, kind) in &account.foreign {
            say(Kind::Foreign, format!("got a frame of type {kind} about {room}, which is none of its rooms"));
        }
        for (room, first, second) in &account.contradictions {
            let (seq, first, second) = (first.seq, described(first), described(second));
            say(Kind::Contradiction, format!("got two entries under {seq} of {room}: {first}, and {second}"));
        }
        for (room, reached, last_seq) in &account.silent_gaps {
            say(
                Kind::SilentGap,
                format!("was told that {room} is complete up to {last_seq}, and was given up to {reached}"),
            );
        }
        for (room, pages) in &account.pages {
            let log = history.evidence.logs.get(room).map(Vec::as_slice).unwrap_or_default();
            for (way, page) in [("forwards", &pages.forwards), ("backwards", &pages.backwards)] {
                if let Some(difference) = difference(page, log) {
                    say(Kind::Paged, format!("paged {way} through {room} and got {difference}"));
                }
            }
        }
        for (action, code) in &account.refused {
            say(Kind::Refused, format!("was refused {action} with {code}"));
        }
        for action in &account.unanswered {
            say(Kind::Unanswered, format!("never got an answer to {action}"));
        }
        for problem in &account.malformed {
            say(Kind::Frame, format!("got a frame that is not as the protocol says: {problem}"));
        }
        for (frame, bytes) in &account.oversized {
            say(Kind::Frame, format!("got {frame} of {bytes} bytes"));
        }
    }
}

fn is_its_own(history: &History, account: &Account, room: &str) -> bool {
    history.rooms.get(room).is_some_and(|members| members.contains(&account.participant))
}

/// Where a copy of a log differs from it first.
fn difference(copy: &[Entry], log: &[Logged]) -> Option<String> {
    let pairs = copy.iter().zip(log.iter().map(|logged| &logged.entry));
    if let Some((has, should)) = pairs.clone().find(|(has, should)| has != should) {
        return Some(format!("{} where the log has {}", described(has), described(should)));
    }
    (copy.len() != log.len()).then(|| format!("{} entries of {}", copy.len(), log.len()))
}

fn described(entry: &Entry) -> String {
    let Entry { seq, message_id, sender, sent_at, digest, .. } = entry;
    format!("#{seq} ({message_id} of {sender} at {sent_at}, words {digest:016x})")
}
