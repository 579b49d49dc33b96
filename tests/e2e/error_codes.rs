//! Every error code. An error is the reply to a request, and the connection stays open.
//!
//! `session_expired` and most of `bad_request` are tested in `invalid_requests.rs`, `message_id_taken` also in
//! `idempotency.rs`.

use std::time::Instant;

use end_to_end::{Client, Consultation, Person, World};
use serde_json::json;
use uuid::Uuid;

/// Another patient, who is in no room.
async fn stranger(world: &World) -> Client {
    world.connect(&Person::user("mallory", "Mallory", "en")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_request_names_the_field() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    for (action, fields, field) in [
        ("createRoom", json!({}), "kind"),
        ("createRoom", json!({"kind": "consult"}), "hospital_id"),
        ("createRoom", json!({"kind": "direct"}), "user_id"),
        ("createRoom", json!({"kind": "group"}), "name"),
        ("createRoom", json!({"kind": "castle"}), "kind"),
        ("joinGroup", json!({}), "group_id"),
        ("sendMessage", json!({"room_id": "open:lobby"}), "message"),
        ("sendMessage", json!({"room_id": "open:lobby", "message": 5}), "message"),
        ("sendMessage", json!({"room_id": "open:lobby", "message": "x", "message_id": "7"}), "message_id"),
        ("getChatHistory", json!({}), "room_id"),
        ("getChatHistory", json!({"room_id": "nowhere"}), "room_id"),
        ("getChatHistory", json!({"room_id": "open:lobby", "limit": 0}), "limit"),
        ("getChatHistory", json!({"room_id": "open:lobby", "limit": 101}), "limit"),
        ("getRoomList", json!({"status": "asleep"}), "status"),
        ("changeRoomStatus", json!({"room_id": "consult:aiko:seoul-clinic"}), "status"),
        ("markRead", json!({"room_id": "open:lobby"}), "seq"),
        ("sync", json!({}), "rooms"),
        ("translateMessage", json!({"room_id": "open:lobby", "seq": 1}), "language"),
        ("setTranslatedMessage", json!({"room_id": "open:lobby", "seq": 1, "language": "ja"}), "translated_message"),
    ] {
        let error = patient.refused(action, fields.clone(), "bad_request").await;
        assert!(error["message"].as_str().unwrap().contains(field), "{action} {fields} should name {field}: {error}");
        assert_eq!(error["action"], action);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_action_lists_the_actions_that_exist() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let error = patient.refused("makeCoffee", json!({}), "unknown_action").await;
    for action in [
        "createRoom",
        "joinGroup",
        "sendMessage",
        "getChatHistory",
        "getRoomList",
        "changeRoomStatus",
        "markRead",
        "sync",
        "translateMessage",
        "setTranslatedMessage",
    ] {
        assert!(error["message"].as_str().unwrap().contains(action), "{action} is missing in {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_consultation_looks_nonexistent() {
    let world = World::start().await;
    let Consultation { room, .. } = world.consultation().await;
    let mut mallory = stranger(&world).await;
    for action in
        ["sendMessage", "getChatHistory", "changeRoomStatus", "markRead", "translateMessage", "setTranslatedMessage"]
    {
        let mut answers = Vec::new();
        for room in [room.as_str(), "consult:nobody:nowhere"] {
            let fields = json!({
                "room_id": room, "message": "hi", "seq": 1, "status": "closed", "language": "en",
                "translated_message": "hi",
            });
            answers.push(mallory.refused(action, fields, "not_found").await["message"].clone());
        }
        assert_eq!(answers[0], answers[1], "{action} distinguishes the two");
    }
    let join = mallory.refused("joinGroup", json!({"room_id": room}), "not_found").await;
    assert!(!join["message"].as_str().unwrap().contains("aiko"));
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_for_missing_messages() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.refused("translateMessage", json!({"room_id": room, "seq": 99, "language": "ko"}), "not_found").await;
    let correction = json!({"room_id": room, "seq": 99, "language": "ja", "translated_message": "x"});
    hospital.refused("setTranslatedMessage", correction, "not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_a_member_before_joining() {
    let world = World::start().await;
    let mut aiko = world.connect(&testkit::people::patient()).await;
    aiko.ask("joinGroup", json!({"groupId": "lobby"})).await;
    let group = aiko.ask("createRoom", json!({"kind": "group", "name": "Recovery"})).await;
    let group = group["room"]["room_id"].as_str().unwrap().to_owned();
    let mut mallory = stranger(&world).await;
    for room in ["open:lobby", &group] {
        mallory.refused("sendMessage", json!({"room_id": room, "message": "hi"}), "not_a_member").await;
        mallory.refused("getChatHistory", json!({"room_id": room}), "not_a_member").await;
        mallory.refused("markRead", json!({"room_id": room, "seq": 1}), "not_a_member").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forbidden_for_members_without_permission() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for status in ["waiting", "in_progress", "on_hold"] {
        // The first is the present status, which is just as forbidden.
        patient.refused("changeRoomStatus", json!({"room_id": room, "status": status}), "forbidden").await;
    }
    let seq = hospital.say(&room, "언제부터 아프셨어요?").await;
    let correction = json!({"room_id": room, "seq": seq, "language": "ja", "translated_message": "いつから？"});
    patient.refused("setTranslatedMessage", correction, "forbidden").await;
    // She may correct translations of her own messages.
    let own = patient.say(&room, "頭が痛いです。").await;
    hospital.event("translation", |event| event["seq"] == own).await;
    patient
        .ask(
            "setTranslatedMessage",
            json!({"room_id": room, "seq": own, "language": "ko", "translated_message": "두통"}),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_closed_until_the_hospital_reopens_it() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.ask("changeRoomStatus", json!({"room_id": room, "status": "closed"})).await;
    for side in [&mut patient, &mut hospital] {
        side.refused("sendMessage", json!({"room_id": room, "message": "もしもし"}), "room_closed").await;
    }
    patient.refused("changeRoomStatus", json!({"room_id": room, "status": "in_progress"}), "forbidden").await;
    hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await;
    patient.say(&room, "もしもし").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_too_long_over_4000_characters_or_16_kilobytes() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(700);
    for text in ["あ".repeat(4_001), family] {
        patient.refused("sendMessage", json!({"room_id": room, "message": text}), "message_too_long").await;
    }
    let seq = patient.say(&room, &"あ".repeat(4_000)).await;
    let correction = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "가".repeat(4_001)});
    hospital.refused("setTranslatedMessage", correction, "message_too_long").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_when_repeating_a_text() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let begun = Instant::now();
    for _ in 0..3 {
        patient.say(&room, "もしもし").await;
    }
    world.hold_log(&room, begun).await;
    let again = json!({"room_id": room, "message": "もしもし"});
    let error = patient.refused("sendMessage", again, "rate_limited").await;
    assert!((1..=20_000).contains(&error["retry_after_ms"].as_u64().unwrap()), "{error}");
    assert_eq!(world.log_of(&room).await.len(), 4, "the opening and three times the same text");
    // Only that person is limited.
    hospital.say(&room, "네, 말씀하세요.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_id_taken_by_another_text() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let message_id = Uuid::new_v4().to_string();
    patient.ask("sendMessage", json!({"room_id": room, "message": "はい", "message_id": message_id})).await;
    patient
        .refused(
            "sendMessage",
            json!({"room_id": room, "message": "いいえ", "message_id": message_id}),
            "message_id_taken",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_returns_the_current_translation() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    let seen = hospital.event("translation", |event| event["seq"] == seq).await["translation"]["version"].clone();
    let correct = |text: &str| {
        let mut correction = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": text});
        correction["version"] = seen.clone();
        correction
    };
    hospital.ask("setTranslatedMessage", correct("두통이 있어요.")).await;
    let error = hospital.refused("setTranslatedMessage", correct("머리가 아픕니다."), "conflict").await;
    assert_eq!(error["translation"]["text"], "두통이 있어요.");
    assert_eq!(error["translation"]["source"], "person");
}

#[tokio::test(flavor = "multi_thread")]
async fn translation_unavailable_says_why() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "昨日から熱があります。").await;
    hospital.event("translation", |event| event["seq"] == seq).await;
    for (status, reason) in [(456, "quota"), (403, "rejected")] {
        world.translator.set_failure(Some(status));
        let error = hospital
            .refused(
                "translateMessage",
                json!({"room_id": room, "seq": seq, "language": "en"}),
                "translation_unavailable",
            )
            .await;
        assert_eq!(error["reason"], reason);
    }
    world.translator.set_failure(None);
    let reply = hospital.ask("translateMessage", json!({"room_id": room, "seq": seq, "language": "en"})).await;
    assert_eq!(reply["translation"]["status"], "ok", "once DeepL answers again, so does the route");
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_reveals_no_cause() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let rows = world.rows("MembersTable").await;
    let mut broken = rows.into_iter().find(|row| row["participant"] == "user:aiko").unwrap();
    broken["joined_at"] = json!("wizard");
    world.put("MembersTable", [broken]).await;
    let error = patient.refused("getChatHistory", json!({"room_id": room}), "internal").await;
    let told = error.to_string();
    for cause in ["wizard", "joined", "table", "Table", "dynamo", "row"] {
        assert!(!told.contains(cause), "{cause} is revealed: {told}");
    }
    // The connection still works, and the cause is logged once.
    patient.refused("makeCoffee", json!({}), "unknown_action").await;
    let logged = world.end().await;
    let errors = logged.iter().filter(|line| line.function == "GetChatHistoryFunction" && line.line.contains("ERROR"));
    assert_eq!(errors.count(), 1, "{logged:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_when_sending_too_fast() {
    let world = World::with(|options| {
        options.parameters.insert("SendWindowMs".to_owned(), "60000".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    // The entry that opened the room counts as one of the patient's.
    hospital.say(&room, "네, 말씀하세요").await;
    let begun = Instant::now();
    for number in 1..=8 {
        patient.say(&room, &format!("{number}")).await;
    }
    world.hold_log(&room, begun).await;
    let error = patient.refused("sendMessage", json!({"room_id": room, "message": "9"}), "rate_limited").await;
    assert!((1..=60_000).contains(&error["retry_after_ms"].as_u64().unwrap()), "{error}");
    // Only entries in a row count: once the other side says something, the patient may go on.
    hospital.say(&room, "네").await;
    patient.say(&room, "9").await;
}
