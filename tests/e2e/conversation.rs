//! A patient and a hospital talk, each in its own language.

use end_to_end::{Consultation, Person, World};
use serde_json::json;

/// Phrases that the DeepL stub knows in Japanese and Korean.
const HEADACHE_JA: &str = "頭が痛いです。";
const HEADACHE_KO: &str = "머리가 아파요.";
const SINCE_WHEN_KO: &str = "언제부터 아프셨어요?";
const SINCE_WHEN_JA: &str = "いつから痛みますか？";

#[tokio::test(flavor = "multi_thread")]
async fn each_side_reads_its_own_language() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;

    let asked = patient.say(&room, HEADACHE_JA).await;
    let heard = hospital.hears(HEADACHE_JA).await;
    assert_eq!(heard["room_id"], room);
    assert_eq!(heard["seq"], asked);
    assert_eq!(heard["kind"], "text");
    assert_eq!(heard["language"], "ja");
    assert_eq!(heard["sender"], json!({"participant": "user:aiko", "user_id": "aiko", "name": "愛子"}));
    let translated = hospital.event("translation", |event| event["seq"] == asked).await;
    assert_eq!(translated["room_id"], room);
    assert_eq!(translated["translation"]["language"], "ko");
    assert_eq!(translated["translation"]["text"], HEADACHE_KO);
    assert_eq!(translated["translation"]["source"], "deepl");
    assert_eq!(translated["translation"]["status"], "ok");

    let answered = hospital.say(&room, SINCE_WHEN_KO).await;
    assert_eq!(answered, asked + 1);
    let heard = patient.hears(SINCE_WHEN_KO).await;
    assert_eq!(heard["sender"], json!({"participant": "hospital:seoul-clinic", "user_id": "minjun", "name": "민준"}));
    let translated = patient.event("translation", |event| event["seq"] == answered).await;
    assert_eq!(translated["translation"]["language"], "ja");
    assert_eq!(translated["translation"]["text"], SINCE_WHEN_JA);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_ordered_and_translated() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let first = patient.say(&room, HEADACHE_JA).await;
    let second = hospital.say(&room, SINCE_WHEN_KO).await;
    world.settled().await;

    for side in [&mut patient, &mut hospital] {
        let history = side.ask("getChatHistory", json!({"room_id": room})).await;
        assert_eq!(history["has_more"], false);
        let messages = history["messages"].as_array().unwrap();
        let seqs: Vec<_> = messages.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, [1, first, second], "the room's opening and both messages, in order");
        assert_eq!(messages[0]["event"]["name"], "room_created");
        assert_eq!(messages[1]["message"], HEADACHE_JA);
        assert_eq!(messages[1]["translations"]["ko"]["text"], HEADACHE_KO);
        assert_eq!(messages[2]["message"], SINCE_WHEN_KO);
        assert_eq!(messages[2]["translations"]["ja"]["text"], SINCE_WHEN_JA);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_hospital_finds_unread_messages() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let room = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let room = room["room"]["room_id"].as_str().unwrap().to_owned();
    patient.say(&room, HEADACHE_JA).await;
    patient.say(&room, "予約をしたいです。").await;
    world.settled().await;

    let mut hospital = world.connect(&testkit::people::coordinator()).await;
    let list = hospital.ask("getRoomList", json!({})).await;
    let rooms = list["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 1);
    assert_eq!(rooms[0]["room_id"], room);
    assert_eq!(rooms[0]["unread_count"], 2);
    assert_eq!(rooms[0]["last_message"]["message"], "予約をしたいです。");
    assert_eq!(rooms[0]["members"][0]["participant"], "user:aiko", "the list shows the other side");

    // The hospital has never connected before; `HospitalLanguage` says that it reads Korean.
    let history = hospital.ask("getChatHistory", json!({"room_id": room})).await;
    assert_eq!(history["messages"][1]["translations"]["ko"]["text"], HEADACHE_KO);
}

#[tokio::test(flavor = "multi_thread")]
async fn mark_read_clears_count_and_notifies() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.say(&room, HEADACHE_JA).await;
    let last = patient.say(&room, "予約をしたいです。").await;
    world.settled().await;

    let list = hospital.ask("getRoomList", json!({})).await;
    assert_eq!(list["rooms"][0]["unread_count"], 2);
    let own = patient.ask("getRoomList", json!({})).await;
    assert_eq!(own["rooms"][0]["unread_count"], 0, "own messages do not count as unread");

    let marked = hospital.ask("markRead", json!({"room_id": room, "seq": last})).await;
    assert_eq!(marked["last_read_seq"], last);
    assert_eq!(marked["unread_count"], 0);
    let read = patient.event("read", |event| event["room_id"] == *room).await;
    assert_eq!(read["participant"], "hospital:seoul-clinic");
    assert_eq!(read["last_read_seq"], last);
    let list = hospital.ask("getRoomList", json!({})).await;
    assert_eq!(list["rooms"][0]["unread_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn correction_reaches_both_sides_and_history() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = hospital.say(&room, SINCE_WHEN_KO).await;
    let machine = hospital.event("translation", |event| event["seq"] == seq).await;
    patient.event("translation", |event| event["seq"] == seq).await;

    let better = "いつ頃から痛みがありますか？";
    let correction = json!({
        "room_id": room, "seq": seq, "language": "ja", "translated_message": better,
        "version": machine["translation"]["version"],
    });
    let reply = hospital.ask("setTranslatedMessage", correction).await;
    assert_eq!(reply["translation"]["text"], better);
    assert_eq!(reply["translation"]["source"], "person");
    for side in [&mut patient, &mut hospital] {
        let event =
            side.event("translation", |event| event["seq"] == seq && event["translation"]["source"] == "person").await;
        assert_eq!(event["translation"]["text"], better);
        assert!(event["translation"]["version"].as_u64() > machine["translation"]["version"].as_u64());
        let noted = side.event("message", |event| event["event"]["name"] == "translation_corrected").await;
        assert_eq!(noted["event"]["seq"], seq);
        assert_eq!(noted["event"]["language"], "ja");
    }
    let history = patient.ask("getChatHistory", json!({"room_id": room, "after_seq": seq - 1})).await;
    assert_eq!(history["messages"][0]["translations"]["ja"]["text"], better);
}

#[tokio::test(flavor = "multi_thread")]
async fn untranslated_text_arrives_with_the_reason() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_failure(Some(456));
    let seq = patient.say(&room, "昨日から熱があります。").await;
    hospital.hears("昨日から熱があります。").await;
    let event = hospital.event("translation", |event| event["seq"] == seq).await;
    assert_eq!(event["translation"]["status"], "failed");
    assert_eq!(event["translation"]["reason"], "quota");
    assert!(event["translation"]["text"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn room_list_shows_latest_first() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    for hospital in ["busan-clinic", "seoul-clinic", "jeju-clinic"] {
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": hospital})).await;
    }
    patient.say("consult:aiko:seoul-clinic", HEADACHE_JA).await;
    world.settled().await;
    let list = patient.ask("getRoomList", json!({})).await;
    let rooms: Vec<_> =
        list["rooms"].as_array().unwrap().iter().map(|room| room["room_id"].as_str().unwrap()).collect();
    assert_eq!(rooms, ["consult:aiko:seoul-clinic", "consult:aiko:jeju-clinic", "consult:aiko:busan-clinic"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_changes_reach_both_sides() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut from = "waiting";
    for to in ["in_progress", "on_hold", "in_progress", "closed", "in_progress"] {
        let reply = hospital.ask("changeRoomStatus", json!({"room_id": room, "status": to})).await;
        assert_eq!(reply["status"], to);
        for side in [&mut patient, &mut hospital] {
            let event = side.event("message", |event| event["seq"] == reply["seq"]).await;
            assert_eq!(event["kind"], "system");
            assert_eq!(event["message"], "");
            assert_eq!(event["event"], json!({"name": "status_changed", "from": from, "to": to}));
        }
        from = to;
    }
    let waiting = hospital.ask("getRoomList", json!({"status": "waiting"})).await;
    assert_eq!(waiting["rooms"], json!([]));
    let active = hospital.ask("getRoomList", json!({"status": "in_progress"})).await;
    assert_eq!(active["rooms"][0]["room_id"], room);
}

#[tokio::test(flavor = "multi_thread")]
async fn group_members_read_three_languages() {
    let world = World::start().await;
    let aiko = Person::user("aiko", "愛子", "ja");
    let joon = Person::user("joon", "준", "ko");
    let emma = Person::user("emma", "Emma", "en");
    let mut aiko = world.connect(&aiko).await;
    let mut joon = world.connect(&joon).await;
    let mut emma = world.connect(&emma).await;
    let reply = aiko
        .ask("createRoom", json!({"kind": "group", "name": "Recovery", "members": ["user:joon", "user:emma"]}))
        .await;
    let room = reply["room"]["room_id"].as_str().unwrap().to_owned();

    let seq = aiko.say(&room, HEADACHE_JA).await;
    for (reader, language) in [(&mut joon, "ko"), (&mut emma, "en")] {
        let heard = reader.hears(HEADACHE_JA).await;
        assert_eq!(heard["room_id"], *room);
        reader.event("translation", |event| event["seq"] == seq && language_of(event) == language).await;
    }
    world.settled().await;
    let others = joon.rest().await;
    assert!(!others.iter().any(|frame| frame["type"] == "translation" && language_of(frame) == "en"), "{others:#?}");
}

/// The language without its region.
fn language_of(event: &serde_json::Value) -> &str {
    event["translation"]["language"].as_str().and_then(|tag| tag.split('-').next()).unwrap_or_default()
}
