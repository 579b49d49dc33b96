//! The judge is fed one flawless history, and then that history with one flaw of each kind.

use super::*;
use crate::account::{Acknowledged, Listed, Pages, Sent};
use crate::entry::Entry;
use crate::evidence::{Head, Logged, Seat};

const ROOM: &str = "direct:a:b";

fn entry(seq: u64) -> Entry {
    let text = seq > 1;
    let sender = if seq.is_multiple_of(2) { "user:a" } else { "user:b" };
    Entry { seq, message_id: format!("m{seq}"), text, sender: sender.to_owned(), digest: seq, sent_at: 1000 + seq }
}

/// A room of two people: one system entry, and three messages.
fn flawless() -> History {
    let entries: Vec<Entry> = (1..=4).map(entry).collect();
    let account = |user: &str| {
        let participant = format!("user:{user}");
        let own = entries.iter().filter(|entry| entry.text && entry.sender == participant);
        let sent = own.map(|entry| {
            let acknowledged = vec![Acknowledged { seq: entry.seq, sent_at: entry.sent_at }; 2];
            (entry.message_id.clone(), Sent { room: ROOM.to_owned(), digest: entry.digest, acknowledged })
        });
        Account {
            client: format!("{user}/1"),
            participant: participant.clone(),
            sent: sent.collect(),
            shown: [(ROOM.to_owned(), entries.clone())].into(),
            heard: [(ROOM.to_owned(), (2..=4).collect())].into(),
            listening_since: [(ROOM.to_owned(), 1001)].into(),
            marks: [(ROOM.to_owned(), 2)].into(),
            list: vec![Listed { room: ROOM.to_owned(), last_seq: 4, last_text: 4, last_read_seq: 2, unread: 2 }],
            pages: [(ROOM.to_owned(), Pages { forwards: entries.clone(), backwards: entries.clone() })].into(),
            ..Account::default()
        }
    };
    let seat = Seat { last_read_seq: 2, read_text_count: 1 };
    let log = entries.iter().map(|entry| Logged { entry: entry.clone(), text_count: entry.seq - 1, moved: None });
    let sends = entries.iter().filter(|entry| entry.text);
    let evidence = Evidence {
        logs: [(ROOM.to_owned(), log.collect())].into(),
        heads: [(ROOM.to_owned(), Head { last_seq: 4, text_count: 3, last_text: 4, updated_at: 1004 })].into(),
        seats: [(ROOM.to_owned(), ["user:a", "user:b"].map(|who| (who.to_owned(), seat.clone())).into())].into(),
        sends: sends
            .map(|entry| (ROOM.to_owned(), format!("{}#{}", entry.sender, entry.message_id), entry.seq))
            .collect(),
        ..Evidence::default()
    };
    let members = ["user:a", "user:b"].map(str::to_owned).into();
    History {
        rooms: [(ROOM.to_owned(), members)].into(),
        accounts: vec![account("a"), account("b")],
        evidence,
        frames_arrived: true,
        all_read: true,
    }
}

/// The kinds that are found once the flawless history was changed.
fn found(change: impl FnOnce(&mut History)) -> BTreeSet<Kind> {
    let mut history = flawless();
    change(&mut history);
    judge(&history).into_iter().map(|violation| violation.kind).collect()
}

fn log(history: &mut History) -> &mut Vec<Logged> {
    history.evidence.logs.get_mut(ROOM).unwrap()
}

fn first(history: &mut History) -> &mut Account {
    &mut history.accounts[0]
}

#[test]
fn a_flawless_history_breaks_no_promise() {
    assert_eq!(judge(&flawless()), []);
}

#[test]
fn a_message_that_nobody_was_told_of_may_be_there_or_not() {
    let unacknowledged = |history: &mut History| {
        first(history).sent.get_mut("m2").unwrap().acknowledged.clear();
        let nowhere = Sent { room: ROOM.to_owned(), digest: 9, acknowledged: Vec::new() };
        first(history).sent.insert("m9".to_owned(), nowhere);
    };
    assert_eq!(found(unacknowledged), BTreeSet::new());
}

#[test]
fn an_acknowledged_message_that_is_gone_is_found() {
    let gone = found(|history| {
        log(history).pop();
    });
    assert!(gone.contains(&Kind::AcknowledgedLost) && gone.contains(&Kind::Shown), "{gone:?}");
}

#[test]
fn an_acknowledged_message_that_another_one_replaced_is_found() {
    let replaced = found(|history| log(history)[1].entry.message_id = "m9".to_owned());
    assert!(replaced.contains(&Kind::AcknowledgedLost) && replaced.contains(&Kind::Unsent), "{replaced:?}");
}

#[test]
fn an_acknowledgement_with_another_time_than_the_logs_is_found() {
    assert_eq!(
        found(|history| {
            for acknowledged in &mut first(history).sent.get_mut("m2").unwrap().acknowledged {
                acknowledged.sent_at += 1;
            }
        }),
        [Kind::AcknowledgedLost].into()
    );
}

#[test]
fn a_repetition_that_is_answered_with_another_number_is_found() {
    let twice = found(|history| first(history).sent.get_mut("m2").unwrap().acknowledged[1].seq = 3);
    assert!(twice.contains(&Kind::AcknowledgedTwice), "{twice:?}");
}

#[test]
fn a_message_under_two_numbers_is_found_acknowledged_or_not() {
    for acknowledged in [true, false] {
        let doubled = found(|history| {
            let again = Entry { seq: 5, ..entry(4) };
            log(history).push(Logged { entry: again, text_count: 4, moved: None });
            if !acknowledged {
                first(history).sent.get_mut("m4").unwrap().acknowledged.clear();
            }
        });
        assert!(doubled.contains(&Kind::Doubled), "{doubled:?}");
    }
}

#[test]
fn words_that_nobody_sent_are_found() {
    assert!(found(|history| log(history)[2].entry.digest = 77).contains(&Kind::Unsent));
}

#[test]
fn a_number_that_is_missing_is_found() {
    assert!(found(|history| drop(log(history).remove(2))).contains(&Kind::Hole));
    assert!(found(|history| history.evidence.logs.clear()).contains(&Kind::Hole));
}

#[test]
fn time_that_runs_backwards_and_a_wrong_count_of_texts_are_found() {
    assert!(found(|history| log(history)[2].entry.sent_at = 1).contains(&Kind::Disorder));
    assert_eq!(found(|history| log(history)[3].text_count = 9), [Kind::Disorder].into());
}

#[test]
fn a_send_row_without_its_entry_and_an_entry_without_its_row_are_found() {
    assert_eq!(found(|history| drop(history.evidence.sends.pop())), [Kind::SendRow].into());
    assert_eq!(found(|history| history.evidence.sends[0].2 = 4), [Kind::SendRow].into());
    let stray = (ROOM.to_owned(), "user:a#m9".to_owned(), 9);
    assert_eq!(found(|history| history.evidence.sends.push(stray)), [Kind::SendRow].into());
}

#[test]
fn a_frame_about_somebody_elses_room_is_found() {
    let frame = ("consult:x:y".to_owned(), "message".to_owned());
    assert_eq!(found(|history| first(history).foreign.push(frame)), [Kind::Foreign].into());
    let shown = found(|history| drop(first(history).shown.insert("consult:x:y".to_owned(), vec![entry(1)])));
    assert_eq!(shown, [Kind::Foreign].into());
}

#[test]
fn a_client_that_has_not_all_or_not_in_order_or_not_the_same_is_found() {
    fn shown(history: &mut History) -> &mut Vec<Entry> {
        first(history).shown.get_mut(ROOM).unwrap()
    }
    let flaws: [fn(&mut Vec<Entry>); 4] = [
        |shown| drop(shown.pop()),
        |shown| shown.swap(1, 2),
        |shown| shown.push(entry(4)),
        |shown| shown[1].digest = 9,
    ];
    for flaw in flaws {
        assert_eq!(found(|history| flaw(shown(history))), [Kind::Shown].into());
    }
}

#[test]
fn two_entries_under_one_number_are_found() {
    let other = Entry { digest: 9, ..entry(2) };
    let contradiction = (ROOM.to_owned(), entry(2), other);
    assert_eq!(found(|history| first(history).contradictions.push(contradiction)), [Kind::Contradiction].into());
}

#[test]
fn a_push_that_never_came_to_an_open_connection_is_found() {
    fn deaf(history: &mut History) {
        first(history).heard.get_mut(ROOM).unwrap().remove(&3);
    }
    assert_eq!(found(deaf), [Kind::NeverPushed].into());
    let excuses: [fn(&mut History); 4] = [
        |history| history.frames_arrived = false,
        |history| first(history).listening_since.clear(),
        |history| *first(history).listening_since.get_mut(ROOM).unwrap() = 1003,
        |history| first(history).counts.connections = 11,
    ];
    for excuse in excuses {
        assert_eq!(
            found(|history| {
                deaf(history);
                excuse(history);
            }),
            BTreeSet::new()
        );
    }
}

#[test]
fn the_reply_to_an_own_message_may_be_lost_with_its_function() {
    let silent = found(|history| {
        first(history).heard.get_mut(ROOM).unwrap().remove(&2);
    });
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn a_gap_that_sync_kept_silent_about_is_found() {
    assert_eq!(found(|history| first(history).silent_gaps.push((ROOM.to_owned(), 2, 4))), [Kind::SilentGap].into());
}

#[test]
fn a_page_that_skips_or_repeats_is_found() {
    for backwards in [true, false] {
        let flaw = found(|history| {
            let pages = first(history).pages.get_mut(ROOM).unwrap();
            let way = if backwards { &mut pages.backwards } else { &mut pages.forwards };
            way.remove(1);
        });
        assert_eq!(flaw, [Kind::Paged].into());
    }
}

#[test]
fn a_head_that_is_behind_its_log_is_found() {
    assert_eq!(found(|history| history.evidence.heads.get_mut(ROOM).unwrap().last_seq = 3), [Kind::Head].into());
    assert_eq!(found(|history| history.evidence.heads.get_mut(ROOM).unwrap().last_text = 3), [Kind::Head].into());
}

#[test]
fn a_mark_that_counts_wrong_went_back_or_is_missing_is_found() {
    fn seat(history: &mut History) -> &mut Seat {
        history.evidence.seats.get_mut(ROOM).unwrap().get_mut("user:a").unwrap()
    }
    assert_eq!(found(|history| seat(history).read_text_count = 2), [Kind::Mark].into());
    let back = found(|history| *seat(history) = Seat { last_read_seq: 1, read_text_count: 0 });
    assert_eq!(back, [Kind::Mark, Kind::Listed].into());
    let missing = found(|history| {
        history.evidence.seats.get_mut(ROOM).unwrap().remove("user:b");
    });
    assert!(missing.contains(&Kind::Mark), "{missing:?}");
}

#[test]
fn a_mark_that_stands_before_ones_own_texts_though_all_before_them_was_read_is_found() {
    fn unmoved(history: &mut History) {
        // A says two texts, B one, and A one more, as if all had come in one batch of which only A's last text was tried.
        for (at, sender) in [(1, "user:a"), (2, "user:a"), (3, "user:b")] {
            log(history)[at].entry.sender = sender.to_owned();
        }
        history
            .evidence
            .seats
            .get_mut(ROOM)
            .unwrap()
            .get_mut("user:a")
            .unwrap()
            .clone_from(&Seat { last_read_seq: 0, read_text_count: 0 });
        first(history).marks.clear();
    }
    let marks = |change: fn(&mut History)| {
        let mut history = flawless();
        change(&mut history);
        let marks = judge(&history).into_iter().filter(|violation| violation.kind == Kind::Mark);
        marks.map(|violation| violation.evidence).collect::<Vec<_>>()
    };
    assert_eq!(
        marks(unmoved),
        ["in direct:a:b, user:a has read up to 0, and had read what was before their own texts up to 3"]
    );
    let given_up = |history: &mut History| {
        unmoved(history);
        history.all_read = false;
    };
    assert_eq!(marks(given_up), [""; 0], "what was given up moved nobody's mark");
}

#[test]
fn a_room_that_is_listed_wrongly_twice_or_not_at_all_is_found() {
    let flaws: [fn(&mut Vec<Listed>); 4] = [
        |list| list[0].unread = 3,
        |list| list.push(list[0].clone()),
        |list| list.clear(),
        |list| list.push(Listed { room: "consult:x:y".to_owned(), ..list[0].clone() }),
    ];
    for flaw in flaws {
        assert_eq!(found(|history| flaw(&mut first(history).list)), [Kind::Listed].into());
    }
    assert_eq!(found(|history| first(history).disordered.push(ROOM.to_owned())), [Kind::Listed].into());
}

#[test]
fn refusals_silence_and_odd_frames_are_found() {
    let pair = || ("sendMessage".to_owned(), "message_id_taken".to_owned());
    assert_eq!(found(|history| first(history).refused.push(pair())), [Kind::Refused].into());
    assert_eq!(found(|history| first(history).unanswered.push("sync".to_owned())), [Kind::Unanswered].into());
    assert_eq!(found(|history| first(history).malformed.push("no type".to_owned())), [Kind::Frame].into());
    assert_eq!(found(|history| first(history).oversized.push(("sync".to_owned(), 40_000))), [Kind::Frame].into());
    assert_eq!(found(|history| history.evidence.unreadable.push("a seat".to_owned())), [Kind::Row].into());
}

/// A consult that was moved on twice.
fn moved() -> History {
    let room = "consult:a:h";
    let moves = [("waiting", "in_progress"), ("in_progress", "on_hold")];
    let first = Logged { entry: Entry { seq: 1, ..entry(1) }, text_count: 0, moved: None };
    let moved = moves.iter().zip(2..).map(|((from, to), seq)| {
        let entry = Entry { seq, text: false, ..entry(seq) };
        Logged { entry, text_count: 0, moved: Some(((*from).to_owned(), (*to).to_owned())) }
    });
    let evidence = Evidence {
        logs: [(room.to_owned(), std::iter::once(first).chain(moved).collect())].into(),
        heads: [(room.to_owned(), Head { last_seq: 3, text_count: 0, last_text: 0, updated_at: 1003 })].into(),
        statuses: [(room.to_owned(), "on_hold".to_owned())].into(),
        filed: [(room.to_owned(), "hospital:h#on_hold".to_owned())].into(),
        ..Evidence::default()
    };
    let acknowledged = |status: &str, seq| (room.to_owned(), status.to_owned(), seq);
    let statuses = vec![acknowledged("waiting", 1), acknowledged("in_progress", 2), acknowledged("on_hold", 3)];
    History { accounts: vec![Account { statuses, ..Account::default() }], evidence, ..History::default() }
}

#[test]
fn a_status_that_its_log_or_its_list_does_not_say_is_found() {
    assert_eq!(judge(&moved()), []);
    let flaws: [fn(&mut History); 4] = [
        |history| drop(history.evidence.statuses.insert("consult:a:h".to_owned(), "waiting".to_owned())),
        |history| drop(history.evidence.filed.insert("consult:a:h".to_owned(), "hospital:h#waiting".to_owned())),
        |history| history.evidence.logs.get_mut("consult:a:h").unwrap()[2].moved.as_mut().unwrap().0.clear(),
        |history| first(history).statuses[1].2 = 3,
    ];
    for flaw in flaws {
        let mut history = moved();
        flaw(&mut history);
        let kinds: BTreeSet<Kind> = judge(&history).into_iter().map(|violation| violation.kind).collect();
        assert_eq!(kinds, [Kind::Status].into());
    }
}
