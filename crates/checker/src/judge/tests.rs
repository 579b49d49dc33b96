//! Feeds the judge a correct run, and then the same run with one defect of each kind.

use std::collections::BTreeSet;

use super::*;
use crate::entry::Entry;
use crate::history::{Acknowledgement, ClientHistory, ListedRoom, PagedLog, Sent};
use crate::snapshot::{DatabaseSnapshot, Head, IdempotencyRecord, LogRow, Member, StatusChange};

const ROOM: &str = "direct:a:b";
const FOREIGN_ROOM: &str = "consult:x:y";
const CONSULT: &str = "consult:a:h";

fn entry(seq: u64) -> Entry {
    let is_text = seq > 1;
    let sender = if seq.is_multiple_of(2) { "user:a" } else { "user:b" }.to_owned();
    Entry { seq, message_id: format!("m{seq}"), is_text, sender, digest: seq, sent_at: 1000 + seq }
}

/// A room of two people: one system entry and three messages.
fn correct_run() -> RunHistory {
    let entries: Vec<Entry> = (1..=4).map(entry).collect();
    let texts = entries.iter().filter(|entry| entry.is_text);
    let log =
        entries.iter().map(|entry| LogRow { entry: entry.clone(), text_count: entry.seq - 1, status_change: None });
    // Each of the two wrote one text after the mark.
    let member = Member { last_read_seq: 2, read_text_count: 2 };
    let members = ["user:a", "user:b"].map(|participant| (participant.to_owned(), member.clone()));
    let records = texts.map(|entry| IdempotencyRecord {
        room: ROOM.to_owned(),
        key: format!("{}#{}", entry.sender, entry.message_id),
        seq: entry.seq,
    });
    let snapshot = DatabaseSnapshot {
        logs: [(ROOM.to_owned(), log.collect())].into(),
        heads: [(ROOM.to_owned(), Head { last_seq: 4, text_count: 3, last_text: 4, updated_at: 1004 })].into(),
        members: [(ROOM.to_owned(), members.into())].into(),
        idempotency_records: records.collect(),
        ..DatabaseSnapshot::default()
    };
    RunHistory {
        members: [(ROOM.to_owned(), ["user:a", "user:b"].map(str::to_owned).into())].into(),
        clients: vec![client_history("a", &entries), client_history("b", &entries)],
        snapshot,
        all_frames_arrived: true,
        all_records_in_order: true,
    }
}

fn client_history(user: &str, entries: &[Entry]) -> ClientHistory {
    let participant = format!("user:{user}");
    let own = entries.iter().filter(|entry| entry.is_text && entry.sender == participant);
    let sent = own.map(|entry| {
        let acknowledgements = vec![Acknowledgement { seq: entry.seq, sent_at: entry.sent_at }; 2];
        (entry.message_id.clone(), Sent { room: ROOM.to_owned(), digest: entry.digest, acknowledgements })
    });
    ClientHistory {
        client: format!("{user}/1"),
        sent: sent.collect(),
        participant: participant.clone(),
        displayed: [(ROOM.to_owned(), entries.to_vec())].into(),
        delivered: [(ROOM.to_owned(), (2..=4).collect())].into(),
        subscribed_since: [(ROOM.to_owned(), 1001)].into(),
        read_marks: [(ROOM.to_owned(), 2)].into(),
        room_list: vec![ListedRoom { room: ROOM.to_owned(), last_seq: 4, last_text: 4, last_read_seq: 2, unread: 1 }],
        paged_logs: [(ROOM.to_owned(), PagedLog { forward: entries.to_vec(), backward: entries.to_vec() })].into(),
        ..ClientHistory::default()
    }
}

/// A consult whose status changed twice.
fn consult_run() -> RunHistory {
    let changes = [("waiting", "in_progress"), ("in_progress", "on_hold")];
    let mut log = vec![LogRow { entry: entry(1), text_count: 0, status_change: None }];
    for (seq, (from, to)) in (2..).zip(changes) {
        let entry = Entry { is_text: false, ..entry(seq) };
        let change = StatusChange { from: from.to_owned(), to: to.to_owned() };
        log.push(LogRow { entry, text_count: 0, status_change: Some(change) });
    }
    let snapshot = DatabaseSnapshot {
        logs: [(CONSULT.to_owned(), log)].into(),
        heads: [(CONSULT.to_owned(), Head { last_seq: 3, text_count: 0, last_text: 0, updated_at: 1003 })].into(),
        statuses: [(CONSULT.to_owned(), "on_hold".to_owned())].into(),
        list_keys: [(CONSULT.to_owned(), "hospital:h#on_hold".to_owned())].into(),
        ..DatabaseSnapshot::default()
    };
    let acknowledged = |status: &str, seq| (CONSULT.to_owned(), status.to_owned(), seq);
    let statuses = vec![acknowledged("waiting", 1), acknowledged("in_progress", 2), acknowledged("on_hold", 3)];
    let client = ClientHistory { statuses, ..ClientHistory::default() };
    RunHistory { clients: vec![client], snapshot, ..RunHistory::default() }
}

/// The kinds of violations in the correct run after a change.
fn kinds_after(change: impl FnOnce(&mut RunHistory)) -> BTreeSet<Kind> {
    kinds_after_in(correct_run(), change)
}

fn kinds_after_in(mut run: RunHistory, change: impl FnOnce(&mut RunHistory)) -> BTreeSet<Kind> {
    change(&mut run);
    judge(&run).into_iter().map(|violation| violation.kind).collect()
}

fn log(run: &mut RunHistory) -> &mut Vec<LogRow> {
    run.snapshot.logs.get_mut(ROOM).unwrap()
}

fn head(run: &mut RunHistory) -> &mut Head {
    run.snapshot.heads.get_mut(ROOM).unwrap()
}

fn member_a(run: &mut RunHistory) -> &mut Member {
    run.snapshot.members.get_mut(ROOM).unwrap().get_mut("user:a").unwrap()
}

/// The client of `user:a`, who sent `m2` and `m4`.
fn client_a(run: &mut RunHistory) -> &mut ClientHistory {
    &mut run.clients[0]
}

fn sent_by_a<'a>(run: &'a mut RunHistory, message_id: &str) -> &'a mut Sent {
    client_a(run).sent.get_mut(message_id).unwrap()
}

#[test]
fn correct_run_has_no_violations() {
    assert_eq!(judge(&correct_run()), []);
}

#[test]
fn unacknowledged_message_may_be_missing() {
    let kinds = kinds_after(|run| {
        sent_by_a(run, "m2").acknowledgements.clear();
        let nowhere = Sent { room: ROOM.to_owned(), digest: 9, acknowledgements: Vec::new() };
        client_a(run).sent.insert("m9".to_owned(), nowhere);
    });
    assert_eq!(kinds, BTreeSet::new());
}

#[test]
fn lost_acknowledged_message() {
    let kinds = kinds_after(|run| drop(log(run).pop()));
    assert!(kinds.contains(&Kind::LostAcknowledged) && kinds.contains(&Kind::Displayed), "{kinds:?}");
}

#[test]
fn overwritten_acknowledged_message() {
    let kinds = kinds_after(|run| log(run)[1].entry.message_id = "m9".to_owned());
    assert!(kinds.contains(&Kind::LostAcknowledged) && kinds.contains(&Kind::UnsentText), "{kinds:?}");
}

#[test]
fn acknowledgement_with_wrong_time() {
    let kinds = kinds_after(|run| {
        for acknowledgement in &mut sent_by_a(run, "m2").acknowledgements {
            acknowledgement.sent_at += 1;
        }
    });
    assert_eq!(kinds, [Kind::LostAcknowledged].into());
}

#[test]
fn retry_acknowledged_with_other_seq() {
    let kinds = kinds_after(|run| sent_by_a(run, "m2").acknowledgements[1].seq = 3);
    assert!(kinds.contains(&Kind::ConflictingAcknowledgements), "{kinds:?}");
}

#[test]
fn duplicate_message() {
    for acknowledged in [true, false] {
        let kinds = kinds_after(|run| {
            let duplicate = Entry { seq: 5, ..entry(4) };
            log(run).push(LogRow { entry: duplicate, text_count: 4, status_change: None });
            if !acknowledged {
                sent_by_a(run, "m4").acknowledgements.clear();
            }
        });
        assert!(kinds.contains(&Kind::DuplicateMessage), "{kinds:?}");
    }
}

#[test]
fn unsent_text() {
    let kinds = kinds_after(|run| log(run)[2].entry.digest = 77);
    assert!(kinds.contains(&Kind::UnsentText), "{kinds:?}");
}

#[test]
fn gap_in_log() {
    assert!(kinds_after(|run| drop(log(run).remove(2))).contains(&Kind::Gap));
    assert!(kinds_after(|run| run.snapshot.logs.clear()).contains(&Kind::Gap));
}

#[test]
fn decreasing_time_and_wrong_text_count() {
    assert!(kinds_after(|run| log(run)[2].entry.sent_at = 1).contains(&Kind::OutOfOrder));
    assert_eq!(kinds_after(|run| log(run)[3].text_count = 9), [Kind::OutOfOrder].into());
}

#[test]
fn idempotency_record_missing_wrong_or_stray() {
    let defects: [fn(&mut Vec<IdempotencyRecord>); 3] = [
        |records| drop(records.pop()),
        |records| records[0].seq = 4,
        |records| {
            let key = "user:a#m9".to_owned();
            records.push(IdempotencyRecord { room: ROOM.to_owned(), key, seq: 9 });
        },
    ];
    for defect in defects {
        let kinds = kinds_after(|run| defect(&mut run.snapshot.idempotency_records));
        assert_eq!(kinds, [Kind::IdempotencyRecord].into());
    }
}

#[test]
fn foreign_room_in_frame_or_display() {
    let frame = (FOREIGN_ROOM.to_owned(), "message".to_owned());
    assert_eq!(kinds_after(|run| client_a(run).foreign_frames.push(frame)), [Kind::ForeignRoom].into());
    let displayed = kinds_after(|run| {
        client_a(run).displayed.insert(FOREIGN_ROOM.to_owned(), vec![entry(1)]);
    });
    assert_eq!(displayed, [Kind::ForeignRoom].into());
}

#[test]
fn display_differs_from_log() {
    let defects: [fn(&mut Vec<Entry>); 4] = [
        |displayed| drop(displayed.pop()),
        |displayed| displayed.swap(1, 2),
        |displayed| displayed.push(entry(4)),
        |displayed| displayed[1].digest = 9,
    ];
    for defect in defects {
        let kinds = kinds_after(|run| defect(client_a(run).displayed.get_mut(ROOM).unwrap()));
        assert_eq!(kinds, [Kind::Displayed].into());
    }
}

#[test]
fn conflicting_entries() {
    let conflict = (ROOM.to_owned(), entry(2), Entry { digest: 9, ..entry(2) });
    assert_eq!(kinds_after(|run| client_a(run).conflicts.push(conflict)), [Kind::ConflictingEntries].into());
}

#[test]
fn lost_push_to_open_connection() {
    fn lose_push(run: &mut RunHistory) {
        client_a(run).delivered.get_mut(ROOM).unwrap().remove(&3);
    }
    assert_eq!(kinds_after(lose_push), [Kind::NeverPushed].into());
    let excuses: [fn(&mut RunHistory); 4] = [
        |run| run.all_frames_arrived = false,
        |run| client_a(run).subscribed_since.clear(),
        |run| *client_a(run).subscribed_since.get_mut(ROOM).unwrap() = 1003,
        |run| client_a(run).counts.connections = 11,
    ];
    for excuse in excuses {
        let kinds = kinds_after(|run| {
            lose_push(run);
            excuse(run);
        });
        assert_eq!(kinds, BTreeSet::new());
    }
}

#[test]
fn reply_to_own_message_may_be_lost() {
    let kinds = kinds_after(|run| {
        client_a(run).delivered.get_mut(ROOM).unwrap().remove(&2);
    });
    assert_eq!(kinds, BTreeSet::new());
}

#[test]
fn silent_gap_in_sync() {
    let gap = (ROOM.to_owned(), 2, 4);
    assert_eq!(kinds_after(|run| client_a(run).silent_gaps.push(gap)), [Kind::SilentGap].into());
}

#[test]
fn gap_in_paged_history() {
    for backward in [true, false] {
        let kinds = kinds_after(|run| {
            let log = client_a(run).paged_logs.get_mut(ROOM).unwrap();
            let entries = if backward { &mut log.backward } else { &mut log.forward };
            entries.remove(1);
        });
        assert_eq!(kinds, [Kind::PagedHistory].into());
    }
}

#[test]
fn stale_room_head() {
    assert_eq!(kinds_after(|run| head(run).last_seq = 3), [Kind::RoomHead].into());
    assert_eq!(kinds_after(|run| head(run).last_text = 3), [Kind::RoomHead].into());
}

#[test]
fn read_mark_wrong_moved_back_or_missing() {
    for count in [1, 3] {
        let kinds = kinds_after(|run| member_a(run).read_text_count = count);
        assert_eq!(kinds, [Kind::ReadMark, Kind::RoomList].into(), "{count}");
    }
    let moved_back = kinds_after(|run| *member_a(run) = Member { last_read_seq: 1, read_text_count: 2 });
    assert_eq!(moved_back, [Kind::ReadMark, Kind::RoomList].into());
    let missing = kinds_after(|run| {
        run.snapshot.members.get_mut(ROOM).unwrap().remove("user:b");
    });
    assert!(missing.contains(&Kind::ReadMark), "{missing:?}");
}

#[test]
fn own_texts_count_as_read() {
    // A writes two texts, B one, and A one more, as if the stream had tried only A's last text of one batch.
    let mut run = correct_run();
    for (index, sender) in [(1, "user:a"), (2, "user:a"), (3, "user:b")] {
        log(&mut run)[index].entry.sender = sender.to_owned();
    }
    *member_a(&mut run) = Member { last_read_seq: 0, read_text_count: 2 };
    client_a(&mut run).read_marks.clear();
    let read_marks = |run: &RunHistory| -> Vec<String> {
        let violations = judge(run).into_iter().filter(|violation| violation.kind == Kind::ReadMark);
        violations.map(|violation| violation.details).collect()
    };
    let expected = "user:a has read direct:a:b up to 0 instead of at least 3, the last text before anybody else's";
    assert_eq!(read_marks(&run), [expected]);
    run.all_records_in_order = false;
    assert_eq!(read_marks(&run), [""; 0], "records that were given up on moved no mark");
}

#[test]
fn room_list_wrong_or_misordered() {
    let defects: [fn(&mut Vec<ListedRoom>); 4] = [
        |list| list[0].unread = 3,
        |list| list.push(list[0].clone()),
        |list| list.clear(),
        |list| list.push(ListedRoom { room: FOREIGN_ROOM.to_owned(), ..list[0].clone() }),
    ];
    for defect in defects {
        assert_eq!(kinds_after(|run| defect(&mut client_a(run).room_list)), [Kind::RoomList].into());
    }
    assert_eq!(kinds_after(|run| client_a(run).misordered_rooms.push(ROOM.to_owned())), [Kind::RoomList].into());
}

#[test]
fn rejected_or_unanswered_request() {
    let rejection = ("sendMessage".to_owned(), "message_id_taken".to_owned());
    assert_eq!(kinds_after(|run| client_a(run).rejected.push(rejection)), [Kind::Rejected].into());
    assert_eq!(kinds_after(|run| client_a(run).unanswered.push("sync".to_owned())), [Kind::Unanswered].into());
}

#[test]
fn malformed_frame_or_row() {
    let malformed = kinds_after(|run| client_a(run).malformed.push("no type".to_owned()));
    assert_eq!(malformed, [Kind::MalformedFrame].into());
    let oversized = kinds_after(|run| client_a(run).oversized.push(("sync".to_owned(), 40_000)));
    assert_eq!(oversized, [Kind::MalformedFrame].into());
    let unreadable = kinds_after(|run| run.snapshot.unreadable.push("a member".to_owned()));
    assert_eq!(unreadable, [Kind::UnreadableRow].into());
}

#[test]
fn status_differs_from_log_or_list() {
    assert_eq!(judge(&consult_run()), []);
    let defects: [fn(&mut RunHistory); 4] = [
        |run| drop(run.snapshot.statuses.insert(CONSULT.to_owned(), "waiting".to_owned())),
        |run| drop(run.snapshot.list_keys.insert(CONSULT.to_owned(), "hospital:h#waiting".to_owned())),
        |run| run.snapshot.logs.get_mut(CONSULT).unwrap()[2].status_change.as_mut().unwrap().from.clear(),
        |run| client_a(run).statuses[1].2 = 3,
    ];
    for defect in defects {
        assert_eq!(kinds_after_in(consult_run(), defect), [Kind::Status].into());
    }
}
