//! Every error code, where a client meets it. What is refused is answered on the same connection, which stays open.
//!
//! `session_expired` and most of `bad_request` are in `bad_input.rs`, `message_id_taken` also in `idempotency.rs`.

use end_to_end::{Client, Consultation, Person, World};
use serde_json::json;
use uuid::Uuid;

/// Another patient, who has no business in anybody else's consultation.
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
async fn somebody_elses_consultation_reads_like_one_that_does_not_exist() {
    let world = World::start().await;
    let Consultation { room, .. } = world.consultation().await;
    let mut mallory = stranger(&world).await;
    for action in
        ["sendMessage", "getChatHistory", "changeRoomStatus", "markRead", "translateMessage", "setTranslatedMessage"]
    {
        let mut answers = Vec::new();
        for room in [room.as_str(), "consult:nobody:nowhere"] {
            let fields = json!({
                "room_id": room, "message": "hi", "seq": 1, "status": "closed", "language": "en", "translated_message": "hi",
            });
            answers.push(mallory.refused(action, fields, "not_found").await["message"].clone());
        }
        assert_eq!(answers[0], answers[1], "{action} tells the two apart");
    }
    let join = mallory.refused("joinGroup", json!({"room_id": room}), "not_found").await;
    assert!(!join["message"].as_str().unwrap().contains("aiko"));
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_a_message_that_the_room_does_not_have() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.refused("translateMessage", json!({"room_id": room, "seq": 99, "language": "ko"}), "not_found").await;
    let correction = json!({"room_id": room, "seq": 99, "language": "ja", "translated_message": "x"});
    hospital.refused("setTranslatedMessage", correction, "not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_a_member_is_who_has_not_joined_a_room_that_they_may_know_of() {
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
async fn forbidden_is_a_member_who_may_not_do_this() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for status in ["waiting", "in_progress", "on_hold"] {
        // The first is the room's own status: asking for it is as forbidden as for another.
        patient.refused("changeRoomStatus", json!({"room_id": room, "status": status}), "forbidden").await;
    }
    let seq = hospital.say(&room, "언제부터 아프셨어요?").await;
    let correction = json!({"room_id": room, "seq": seq, "language": "ja", "translated_message": "いつから？"});
    patient.refused("setTranslatedMessage", correction, "forbidden").await;
    // Her own message she may correct.
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
async fn message_too_long_is_over_4000_characters_or_16_kilobytes() {
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
async fn rate_limited_is_who_says_the_same_again_and_again_and_it_says_for_how_long() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut last = json!(null);
    for _ in 0..6 {
        last = patient.request("sendMessage", json!({"room_id": room, "message": "もしもし"})).await;
        if last["type"] == "error" {
            break;
        }
    }
    assert_eq!(last["code"], "rate_limited", "{last}");
    let retry_after = last["retry_after_ms"].as_u64().unwrap();
    assert!((1..=20_000).contains(&retry_after), "{last}");
    assert_eq!(world.log_of(&room).await.len(), 4, "the opening and three times the same text");
    // It concerns one person only.
    hospital.say(&room, "네, 말씀하세요.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_id_taken_is_an_id_that_was_used_for_another_text() {
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
async fn conflict_is_a_correction_of_a_translation_that_has_changed_meanwhile_and_brings_the_current_one() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    let seen = hospital.event("translation", |event| event["seq"] == seq).await["translation"]["version"].clone();
    let correct = |text: &str| json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": text, "version": seen});
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
async fn internal_tells_nothing_about_the_cause() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let rows = world.rows("MembersTable").await;
    let mut broken = rows.into_iter().find(|row| row["participant"] == "user:aiko").unwrap();
    broken["role"] = json!("wizard");
    world.put("MembersTable", [broken]).await;
    let error = patient.refused("getChatHistory", json!({"room_id": room}), "internal").await;
    let told = error.to_string();
    for cause in ["wizard", "role", "table", "Table", "dynamo", "row"] {
        assert!(!told.contains(cause), "{cause} is nobody's business: {told}");
    }
    // It is in the log, once, and the connection is as good as before.
    patient.refused("makeCoffee", json!({}), "unknown_action").await;
    let logged = world.logged();
    let errors = logged.iter().filter(|line| line.function == "GetChatHistoryFunction" && line.line.contains("ERROR"));
    assert_eq!(errors.count(), 1, "{logged:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_is_who_sends_faster_than_anybody_types() {
    let world = World::with(|options| {
        // Long enough that nine messages are sent within it on any machine.
        options.parameters.insert("SendWindowMs".to_owned(), "60000".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    // That the patient opened the room is an entry of theirs, too.
    hospital.say(&room, "네, 말씀하세요").await;
    for number in 1..=8 {
        patient.say(&room, &format!("{number}")).await;
    }
    let error = patient.refused("sendMessage", json!({"room_id": room, "message": "9"}), "rate_limited").await;
    assert!((1..=60_000).contains(&error["retry_after_ms"].as_u64().unwrap()), "{error}");
    // As soon as the other side says something, it is a conversation again.
    hospital.say(&room, "네").await;
    patient.say(&room, "9").await;
}
