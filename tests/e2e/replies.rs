//! The fields of every reply: renaming one would break clients, so it fails a test.

use std::collections::BTreeSet;

use end_to_end::{Consultation, Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

fn fields(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}")).keys().map(String::as_str).collect()
}

/// A reply has exactly these fields, in addition to those that every reply has.
fn assert_reply(reply: &Value, action: &str, own: &[&str]) {
    assert_eq!(reply["type"], "reply", "{reply}");
    assert_eq!(reply["action"], action);
    let expected: BTreeSet<_> = ["type", "action", "request_id"].into_iter().chain(own.iter().copied()).collect();
    assert_eq!(fields(reply), expected, "{reply}");
}

const ROOM: [&str; 12] = [
    "room_id",
    "kind",
    "name",
    "status",
    "members",
    "member_count",
    "last_seq",
    "last_message",
    "last_read_seq",
    "unread_count",
    "updated_at",
    "created_at",
];

/// A room has at least the fields that `docs/protocol.md` lists.
fn assert_room(room: &Value) {
    for field in ROOM.iter().filter(|field| !matches!(**field, "member_count" | "created_at")) {
        assert!(room.get(field).is_some(), "a room has {field}: {room}");
    }
    for number in ["last_seq", "last_read_seq", "unread_count", "updated_at"] {
        assert!(room[number].is_u64(), "{number} is a number: {room}");
    }
    for member in room["members"].as_array().unwrap() {
        assert_eq!(
            fields(member),
            BTreeSet::from(["participant", "role", "language", "name", "last_read_seq"]),
            "{room}"
        );
    }
}

fn assert_message(message: &Value) {
    let expected = [
        "room_id",
        "seq",
        "message_id",
        "kind",
        "sender",
        "message",
        "language",
        "sent_at",
        "translations",
        "reply_to",
    ];
    for field in expected {
        assert!(message.get(field).is_some(), "a message has {field}: {message}");
    }
    assert!(message.get("origin").is_none(), "the sending connection is not revealed: {message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn create_room_returns_room_and_created() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let consult = json!({"kind": "consult", "hospital_id": "seoul-clinic"});
    let reply = patient.ask("createRoom", consult.clone()).await;
    assert_reply(&reply, "createRoom", &["room", "created"]);
    assert_eq!(reply["created"], true);
    assert_room(&reply["room"]);
    assert_eq!(reply["room"]["room_id"], "consult:aiko:seoul-clinic");
    assert_eq!(reply["room"]["kind"], "consult");
    assert_eq!(reply["room"]["members"].as_array().unwrap().len(), 2);

    let again = patient.ask("createRoom", consult).await;
    assert_eq!(again["created"], false);
    assert_eq!(again["room"]["room_id"], "consult:aiko:seoul-clinic");

    let mut staff = world.connect(&testkit::people::coordinator()).await;
    let same = staff.ask("createRoom", json!({"kind": "consult", "user_id": "aiko"})).await;
    assert_eq!(same["created"], false);
    assert_eq!(same["room"]["room_id"], "consult:aiko:seoul-clinic");
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_room_is_the_same_from_both_sides() {
    let world = World::start().await;
    let mut zoe = world.connect(&Person::user("zoe", "Zoe", "en")).await;
    let mut aiko = world.connect(&testkit::people::patient()).await;
    let first = zoe.ask("createRoom", json!({"kind": "direct", "user_id": "aiko"})).await;
    assert_eq!(first["room"]["room_id"], "direct:aiko:zoe");
    assert_eq!(first["room"]["kind"], "direct");
    let second = aiko.ask("createRoom", json!({"kind": "direct", "user_id": "zoe"})).await;
    assert_eq!(second["room"]["room_id"], "direct:aiko:zoe");
    assert_eq!(second["created"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn group_has_name_members_and_owner() {
    let world = World::start().await;
    let mut aiko = world.connect(&testkit::people::patient()).await;
    let reply = aiko.ask("createRoom", json!({"kind": "group", "name": "回復の会", "members": ["user:joon"]})).await;
    assert_reply(&reply, "createRoom", &["room", "created"]);
    assert_room(&reply["room"]);
    assert!(reply["room"]["room_id"].as_str().unwrap().starts_with("room:"));
    assert_eq!(reply["room"]["name"], "回復の会");
    let members = reply["room"]["members"].as_array().unwrap();
    let owner = members.iter().find(|member| member["participant"] == "user:aiko").unwrap();
    assert_eq!(owner["role"], "owner");
    assert!(members.iter().any(|member| member["participant"] == "user:joon" && member["role"] == "member"));
}

#[tokio::test(flavor = "multi_thread")]
async fn join_group_accepts_every_field_name() {
    let world = World::start().await;
    let mut aiko = world.connect(&testkit::people::patient()).await;
    for field in ["groupId", "group_id", "room_id"] {
        let reply = aiko.ask("joinGroup", json!({ field: "open:lobby" })).await;
        assert_reply(&reply, "joinGroup", &["room"]);
        assert_room(&reply["room"]);
        assert_eq!(reply["room"]["room_id"], "open:lobby");
        assert_eq!(reply["room"]["kind"], "open");
    }
    let bare = aiko.ask("joinGroup", json!({"groupId": "lobby"})).await;
    assert_eq!(bare["room"]["room_id"], "open:lobby", "a bare name means an open room");
}

#[tokio::test(flavor = "multi_thread")]
async fn send_message_returns_seq_and_time() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let message_id = Uuid::new_v4().to_string();
    let reply =
        patient.ask("sendMessage", json!({"room_id": room, "message": "こんにちは", "message_id": message_id})).await;
    assert_reply(&reply, "sendMessage", &["room_id", "seq", "message_id", "sent_at", "duplicate"]);
    assert_eq!(reply["room_id"], room);
    assert_eq!(reply["seq"], 2);
    assert_eq!(reply["message_id"], message_id);
    assert_eq!(reply["duplicate"], false);
    let now = end_to_end::seconds_since_the_epoch() * 1000;
    let sent_at = reply["sent_at"].as_u64().unwrap();
    assert!(now.abs_diff(sent_at) < 120_000, "milliseconds since the epoch: {sent_at}");

    let without_id = patient.ask("sendMessage", json!({"room_id": room, "message": "はい", "reply_to": 2})).await;
    Uuid::parse_str(without_id["message_id"].as_str().unwrap()).expect("the server chose a UUID");
}

#[tokio::test(flavor = "multi_thread")]
async fn reply_without_request_id() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    patient.send(r#"{"action":"getRoomList"}"#).await;
    let reply = patient.frame("the reply", |frame| frame["type"] == "reply").await;
    assert!(reply.get("request_id").is_none_or(Value::is_null), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_chat_history_returns_messages_and_next() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    for text in ["一", "二", "三"] {
        patient.say(&room, text).await;
    }
    let page = patient.ask("getChatHistory", json!({"room_id": room, "limit": 2})).await;
    assert_reply(&page, "getChatHistory", &["room_id", "messages", "has_more", "next"]);
    assert_eq!(page["has_more"], true);
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(messages.iter().map(|message| message["message"].as_str().unwrap()).collect::<Vec<_>>(), ["二", "三"]);
    messages.iter().for_each(assert_message);

    // `next` holds the fields of the next request.
    let mut next = page["next"].clone();
    next["room_id"] = json!(room);
    let page = patient.ask("getChatHistory", next).await;
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(messages[0]["event"]["name"], "room_created");
    assert_eq!(messages[1]["message"], "一");
    let whole = patient.ask("getChatHistory", json!({"room_id": room})).await;
    assert_reply(&whole, "getChatHistory", &["room_id", "messages", "has_more"]);
    assert_eq!(whole["messages"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_room_list_is_paged() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    for hospital in ["h1", "h2", "h3"] {
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": hospital})).await;
    }
    world.settled().await;
    let page = patient.ask("getRoomList", json!({"limit": 2})).await;
    assert_reply(&page, "getRoomList", &["rooms", "next_cursor"]);
    assert_eq!(page["rooms"].as_array().unwrap().len(), 2);
    for room in page["rooms"].as_array().unwrap() {
        assert_room(room);
        assert_eq!(room["members"].as_array().unwrap().len(), 1, "the counterpart only");
        assert_eq!(room["member_count"], 2);
    }
    let rest = patient.ask("getRoomList", json!({"limit": 2, "cursor": page["next_cursor"]})).await;
    assert_reply(&rest, "getRoomList", &["rooms"]);
    let ids: BTreeSet<_> = [&page, &rest]
        .into_iter()
        .flat_map(|page| page["rooms"].as_array().unwrap())
        .map(|room| room["room_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, BTreeSet::from(["consult:aiko:h1", "consult:aiko:h2", "consult:aiko:h3"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn change_room_status_returns_its_entry() {
    let world = World::start().await;
    let Consultation { room, mut hospital, .. } = world.consultation().await;
    let reply = hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await;
    assert_reply(&reply, "changeRoomStatus", &["room_id", "status", "seq"]);
    assert_eq!(reply["seq"], 2);
    let again = hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await;
    assert_eq!(again["seq"], 2, "setting the present status adds nothing");
    assert_eq!(world.log_of(&room).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn mark_read_never_goes_back() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for text in ["一", "二", "三"] {
        patient.say(&room, text).await;
    }
    world.settled().await;
    let reply = hospital.ask("markRead", json!({"room_id": room, "seq": 3})).await;
    assert_reply(&reply, "markRead", &["room_id", "last_read_seq", "unread_count"]);
    assert_eq!((&reply["last_read_seq"], &reply["unread_count"]), (&json!(3), &json!(1)));
    let back = hospital.ask("markRead", json!({"room_id": room, "seq": 1})).await;
    assert_eq!(back["last_read_seq"], 3);
    let beyond = hospital.ask("markRead", json!({"room_id": room, "seq": 1_000_000})).await;
    assert_eq!(
        (&beyond["last_read_seq"], &beyond["unread_count"]),
        (&json!(4), &json!(0)),
        "beyond the end counts as the end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_returns_newer_entries_by_room() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    patient.say(&room, "一").await;
    let reply = patient.ask("sync", json!({"rooms": {room.as_str(): 1}})).await;
    assert_reply(&reply, "sync", &["rooms"]);
    let rooms = reply["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 1);
    assert_eq!(fields(&rooms[0]), BTreeSet::from(["room_id", "last_seq", "messages", "complete"]));
    assert_eq!(rooms[0]["room_id"], room);
    assert_eq!(rooms[0]["last_seq"], 2);
    assert_eq!(rooms[0]["complete"], true);
    assert_message(&rooms[0]["messages"][0]);
    assert_eq!(rooms[0]["messages"][0]["message"], "一");
}

#[tokio::test(flavor = "multi_thread")]
async fn translate_message_accepts_any_language() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    let reply = hospital.ask("translateMessage", json!({"room_id": room, "seq": seq, "language": "en"})).await;
    assert_reply(&reply, "translateMessage", &["translation"]);
    let translation = &reply["translation"];
    for field in ["language", "text", "source", "status", "version", "at"] {
        assert!(translation.get(field).is_some(), "a translation has {field}: {translation}");
    }
    assert_eq!(translation["source"], "deepl");
    assert_eq!(translation["status"], "ok");
    assert!(translation["text"].as_str().unwrap().contains("head"), "{translation}");
    let again = hospital.ask("translateMessage", json!({"room_id": room, "seq": seq, "language": "en"})).await;
    assert_eq!(again["translation"], reply["translation"], "a stored translation is returned");
}

#[tokio::test(flavor = "multi_thread")]
async fn set_translated_message_returns_correction_and_author() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    hospital.event("translation", |event| event["seq"] == seq).await;
    let reply = hospital
        .ask(
            "setTranslatedMessage",
            json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "두통이 있어요."}),
        )
        .await;
    assert_reply(&reply, "setTranslatedMessage", &["translation"]);
    let translation = &reply["translation"];
    assert_eq!(translation["language"], "ko");
    assert_eq!(translation["text"], "두통이 있어요.");
    assert_eq!(translation["source"], "person");
    assert_eq!(translation["by"], "minjun");
    assert_eq!(translation["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_searchable_by_words_and_time() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let first = patient.ask("sendMessage", json!({"room_id": room, "message": "頭が痛いです。"})).await;
    let second = patient.ask("sendMessage", json!({"room_id": room, "message": "Rezept 4711 bitte"})).await;
    world.settled().await;
    let decomposed = "\u{1106}\u{1165}\u{1105}\u{1175}";
    for (query, expected) in [
        ("4711", &second),
        ("４７１１", &second),
        ("REZEPT", &second),
        ("ｒｅｚｅｐｔ", &second),
        ("머리", &first),
        (decomposed, &first),
    ] {
        let found = patient.ask("getChatHistory", json!({"room_id": room, "query": query})).await;
        let seqs: Vec<_> = found["messages"].as_array().unwrap().iter().map(|message| &message["seq"]).collect();
        assert_eq!(seqs, [&expected["seq"]], "{query}");
    }
    let none = patient.ask("getChatHistory", json!({"room_id": room, "query": "Zahnarzt"})).await;
    assert_eq!(none["messages"], json!([]));

    let from = patient.ask("getChatHistory", json!({"room_id": room, "from": second["sent_at"]})).await;
    assert!(from["messages"].as_array().unwrap().iter().any(|message| message["seq"] == second["seq"]));
    let before = patient.ask("getChatHistory", json!({"room_id": room, "to": 1_000})).await;
    assert_eq!(before["messages"], json!([]), "nothing was said in 1970");
}
