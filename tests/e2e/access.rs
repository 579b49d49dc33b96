//! Authorization: each action by each caller in each room, compared with the table of `docs/authorization.md`.
//!
//! The routes ask the table; these tests try it from outside, with rooms and people that they keep track of themselves.

mod attacks;
mod fixtures;
mod printed;

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::{Person, root};
use futures::future::join_all;
use sam_template::{StackContext, Template};
use serde_json::{Value, json};

use fixtures::{Caller, Fixtures, Room, correctable};
use printed::{
    Cell, HOSPITALS, MEMBER, NO_ROOM, OPEN_ROOMS, OWN_WORDS, OWNER, Printed, STRANGER, TO_CLOSE, UNTIL_CLOSED,
};

/// Actions that change the room or the caller's relation to it come last.
const LAST: [&str; 3] = ["changeRoomStatus", "joinGroup", "createRoom"];

/// Actions on the caller's own session concern no room; `sessions` tests them.
const OF_THE_SESSION: [&str; 4] = ["setLanguage", "refreshSession", "signOutEverywhere", "createTicket"];

/// A request and the conditions of the table that it meets.
struct Ask {
    fields: Value,
    holds: Vec<&'static str>,
}

/// The fields that every request has: an action ignores those of others, and all claims about the sender.
fn request(room: &str, changed: Value) -> Value {
    let mut fields = json!({
        "room_id": room, "rooms": {room: 0}, "seq": 2, "language": "fr", "limit": 100, "translation": "auto",
        "message": "1", "translated_message": "Merci",
        "user_type": "hospital", "participant": "hospital:seoul-clinic", "role": "owner", "name": "Recovery",
        "sender": {"participant": "hospital:seoul-clinic", "user_id": "minjun"},
        "authorizer": {"participant": "hospital:seoul-clinic", "user_id": "minjun"},
    });
    fields.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    fields
}

/// The requests with which a person can ask for an action in a room.
fn asks(action: &str, person: &Person, room: &Room) -> Vec<Ask> {
    let facts = [
        (UNTIL_CLOSED, !room.closed),
        (HOSPITALS, person.hospital_id.is_some()),
        (OPEN_ROOMS, room.id.starts_with("open:")),
    ];
    let ask = |changed: Value, fact: Option<&'static str>| Ask {
        fields: request(&room.id, changed),
        holds: facts.iter().filter(|(_, holds)| *holds).map(|(fact, _)| *fact).chain(fact).collect(),
    };
    match action {
        "changeRoomStatus" => {
            vec![ask(json!({"status": "in_progress"}), None), ask(json!({"status": "closed"}), Some(TO_CLOSE))]
        }
        "setTranslatedMessage" if !room.texts.is_empty() => {
            let texts = room.texts.iter().map(|(author, seq)| {
                let own = (*author == person.participant()).then_some(OWN_WORDS);
                ask(json!({"seq": seq, "language": correctable(person)}), own)
            });
            texts.collect()
        }
        "createRoom" => vec![ask(room.opening(person), None)],
        _ => vec![ask(json!({}), None)],
    }
}

/// The outcome of one request.
struct Finding<'a> {
    relation: &'static str,
    cell: &'a Cell,
    done: bool,
    wrong: Option<String>,
}

/// Sends one request and compares the answer with its cell.
async fn find<'a>(printed: &'a Printed, action: &str, caller: &mut Caller, room: &Room, ask: &Ask) -> Finding<'a> {
    let relation = room.relation(&caller.person);
    // A consult or direct room is opened by one of its sides, and an open room by joining it.
    let nameable = action != "createRoom" || room.may_be_opened_by(&caller.person);
    let cell = if nameable { printed.cell(action, relation) } else { &Cell::Unnamed };
    let answer = caller.client.request(action, ask.fields.clone()).await;
    let refused = |code: &str| answer["type"] == "error" && answer["code"] == code;
    let appears = answer.to_string().contains(&room.id);
    let done = answer["type"] == "reply";
    // These list rooms; the replies to other actions need not name theirs.
    let shown = appears || !matches!(action, "getRoomList" | "sync" | "createRoom" | "joinGroup");
    let as_said = match cell {
        Cell::Yes => done && shown,
        Cell::If { condition, .. } if ask.holds.contains(&condition.as_str()) => done && shown,
        Cell::If { otherwise: code, .. } | Cell::No(code) => refused(code) && !appears,
        Cell::LeftOut => done && !appears,
        // The reply, if there is one, is about another room.
        Cell::Unnamed => answer["room"]["room_id"] != *room.id,
    };
    let who = caller.person.participant();
    let wrong = format!("{action} by {who}, {relation}: {cell:?}, but {} was answered by {answer}", ask.fields);
    Finding { relation, cell, done: done && nameable, wrong: (!as_said).then_some(wrong) }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_follow_the_access_table() {
    let printed = Printed::read().await;
    let Fixtures { world, mut callers, mut rooms } = Fixtures::build().await;
    let mut findings: Vec<(&str, Finding)> = Vec::new();
    let of_rooms = || printed.actions().filter(|action| !OF_THE_SESSION.contains(action));
    for action in of_rooms().filter(|action| !LAST.contains(action)) {
        // None of these requests influences the answers to others.
        let of_each = callers.iter_mut().map(async |caller| {
            let mut found = Vec::new();
            for room in &rooms {
                for ask in asks(action, &caller.person, room) {
                    found.push((action, find(&printed, action, caller, room, &ask).await));
                }
            }
            found
        });
        findings.extend(join_all(of_each).await.into_iter().flatten());
    }
    for action in LAST {
        for caller in &mut callers {
            for room in &mut rooms {
                for ask in asks(action, &caller.person, room) {
                    let finding = find(&printed, action, caller, room, &ask).await;
                    match action {
                        _ if !finding.done => {}
                        "changeRoomStatus" => room.closed = ask.fields["status"] == "closed",
                        "createRoom" => room.admit(&caller.person, OWNER),
                        _ => room.admit(&caller.person, MEMBER),
                    }
                    findings.push((action, finding));
                }
            }
        }
    }
    let wrong: Vec<&str> = findings.iter().filter_map(|(_, finding)| finding.wrong.as_deref()).collect();
    assert!(wrong.is_empty(), "{} of {} answers:\n{}", wrong.len(), findings.len(), wrong.join("\n"));
    world.settled().await;

    // Every cell was tried, and every condition both met and unmet.
    for action in of_rooms() {
        let of_action = || findings.iter().filter(|(tried, _)| *tried == action).map(|(_, finding)| finding);
        for relation in &printed.relations {
            assert!(of_action().any(|finding| finding.relation == relation), "{action} was not tried as {relation}");
        }
        let conditional = || of_action().filter(|finding| matches!(finding.cell, Cell::If { .. }));
        let both = conditional().any(|finding| finding.done) && conditional().any(|finding| !finding.done);
        assert!(both || conditional().next().is_none(), "{action}: its condition makes no difference");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_table_covers_every_route_and_is_documented() {
    let printed = Printed::read().await;
    let template = Template::read(&root().join("template.yaml"), StackContext::local("damso"), &BTreeMap::new());
    let api = template.expect("the template can be read").api.expect("it has an API");
    let routes: BTreeSet<&str> = api.routes.keys().map(String::as_str).filter(|key| !key.starts_with('$')).collect();
    assert_eq!(printed.actions().collect::<BTreeSet<_>>(), routes);
    let page = std::fs::read_to_string(root().join("docs/authorization.md")).expect("the page can be read");
    let shown: String = page.lines().filter(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    assert_eq!(shown, printed.text, "run `cargo codegen docs`");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_see_what_a_missing_room_shows() {
    let printed = Printed::read().await;
    for action in printed.actions() {
        // An action for owners alone would need an attack by a member.
        assert_eq!(printed.cell(action, OWNER), printed.cell(action, MEMBER), "{action}");
        let stranger = printed.cell(action, STRANGER);
        let no_room = printed.cell(action, NO_ROOM);
        match (stranger, no_room) {
            // A room is opened under the name of the caller, and joining creates open rooms, which have no strangers.
            (Cell::Unnamed, Cell::Yes) => assert_eq!(action, "createRoom"),
            (Cell::No(code), Cell::If { otherwise, .. }) => assert_eq!((action, code), ("joinGroup", otherwise)),
            _ => assert_eq!(stranger, no_room, "{action}"),
        }
    }
}
