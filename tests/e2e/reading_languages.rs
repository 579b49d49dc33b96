//! What people get follows the languages that they read.

use end_to_end::{Client, Consultation, Person, World};
use serde_json::{Value, json};

const HEADACHE: &str = "머리가 아파요.";

fn is_translation(event: &Value, seq: u64, language: &str) -> bool {
    event["seq"] == seq && event["translation"]["language"] == language
}

/// A world whose hospital declares a name and languages.
async fn world_with(hospital: Value) -> World {
    World::with(|stack| {
        stack.parameters.insert("Hospitals".to_owned(), json!([hospital]).to_string());
    })
    .await
}

/// The languages in which a room's hospital is known to its members.
async fn hospital_in(client: &mut Client, room: &str) -> Value {
    let joined = client.ask("joinGroup", json!({"group_id": room})).await;
    let members = joined["room"]["members"].as_array().unwrap().clone();
    members.into_iter().find(|member| member["role"] == "staff").expect("a consult has a hospital")
}

#[tokio::test(flavor = "multi_thread")]
async fn colleague_does_not_change_the_hospitals_language() {
    let world = World::start().await;
    let mut nurse = world.connect(&Person::staff("sora", "seoul-clinic", "소라", "ko")).await;
    let _colleague = world.connect(&Person::staff("wei", "seoul-clinic", "伟", "zh")).await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let created = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let room = created["room"]["room_id"].as_str().unwrap();
    let seq = patient.say(room, "頭が痛いです。").await;
    let event = nurse.event("translation", |event| is_translation(event, seq, "ko")).await;
    assert_eq!(event["translation"]["status"], "ok", "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_names_and_languages_are_used() {
    let hospital = json!({"id": "seoul-clinic", "name": "서울 클리닉", "languages": ["ko", "en"]});
    let world = world_with(hospital).await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    // None of its staff has connected yet.
    let created = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let members = created["room"]["members"].as_array().unwrap();
    let staff = members.iter().find(|member| member["role"] == "staff").unwrap();
    assert_eq!((&staff["name"], &staff["language"]), (&json!("서울 클리닉"), &json!("ko")));
    let room = created["room"]["room_id"].as_str().unwrap();
    let seq = patient.say(room, "頭が痛いです。").await;
    world.settled().await;
    let history = patient.ask("getChatHistory", json!({"room_id": room, "after_seq": seq - 1})).await;
    let translations = history["messages"][0]["translations"].as_object().unwrap();
    assert_eq!(translations.keys().collect::<Vec<_>>(), ["en", "ko"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn consult_with_unknown_hospital_is_refused() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let consult = json!({"kind": "consult", "hospital_id": "made-up"});
    patient.refused("createRoom", consult.clone(), "not_found").await;
    let _staff = world.connect(&Person::staff("sora", "made-up", "소라", "ko")).await;
    patient.ask("createRoom", consult).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_follow_a_new_token() {
    let world = World::start().await;
    let mut hospital = world.connect(&testkit::people::coordinator()).await;
    let mut patient = world.connect(&Person::user("aiko", "Aiko", "en")).await;
    let created = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let room = created["room"]["room_id"].as_str().unwrap().to_owned();
    let before = hospital.say(&room, HEADACHE).await;
    patient.event("translation", |event| is_translation(event, before, "en")).await;
    patient.leave().await;

    let mut patient = world.connect(&testkit::people::patient()).await;
    let again = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let own = again["room"]["members"].as_array().unwrap().iter().find(|member| member["role"] == "patient").cloned();
    assert_eq!(own.map(|own| own["language"].clone()), Some(json!("ja")), "{again}");
    // What was said meanwhile is translated now, and what comes from now on.
    patient.event("translation", |event| is_translation(event, before, "ja")).await;
    let after = hospital.say(&room, "언제부터 아프셨어요?").await;
    patient.event("translation", |event| is_translation(event, after, "ja")).await;
    world.settled().await;
    let history = patient.ask("getChatHistory", json!({"room_id": room, "after_seq": after - 1})).await;
    assert_eq!(history["messages"][0]["translations"]["en"], Value::Null, "nobody reads English any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_language_applies_to_joined_rooms() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.ask("joinGroup", json!({"group_id": room})).await;
    let before = hospital.say(&room, HEADACHE).await;
    patient.event("translation", |event| is_translation(event, before, "ja")).await;
    let set = patient.ask("setLanguage", json!({"language": "zh_CN"})).await;
    assert_eq!(set["language"], "zh-CN");
    patient.event("translation", |event| is_translation(event, before, "zh-CN")).await;
    let after = hospital.say(&room, "언제부터 아프셨어요?").await;
    patient.event("translation", |event| is_translation(event, after, "zh-CN")).await;
    patient.refused("setLanguage", json!({"language": "Chinese"}), "bad_request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_language_outlives_a_reconnect() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.ask("setLanguage", json!({"language": "en"})).await;
    patient.leave().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    patient.ask("joinGroup", json!({"group_id": room})).await;
    let seq = hospital.say(&room, HEADACHE).await;
    patient.event("translation", |event| is_translation(event, seq, "en")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshed_session_brings_a_new_language() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let fresh = world.token(&Person::user("aiko", "Aiko M.", "en"));
    patient.ask("refreshSession", json!({"token": fresh})).await;
    let joined = patient.ask("joinGroup", json!({"group_id": room})).await;
    let members = joined["room"]["members"].as_array().unwrap();
    let own = members.iter().find(|member| member["participant"] == "user:aiko").unwrap();
    assert_eq!((&own["language"], &own["name"]), (&json!("en"), &json!("Aiko M.")));
    let seq = hospital.say(&room, HEADACHE).await;
    patient.event("translation", |event| is_translation(event, seq, "en")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_who_open_a_room_are_translated_for() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let before = patient.say(&room, "頭が痛いです。").await;
    world.settled().await;
    let mut doctor = world.connect(&Person::staff("smith", "seoul-clinic", "Dr. Smith", "en")).await;
    assert_eq!(hospital_in(&mut doctor, &room).await["language"], "ko", "the hospital's own language stays");
    doctor.event("translation", |event| is_translation(event, before, "en")).await;
    let after = patient.say(&room, "昨日からです。").await;
    for language in ["en", "ko"] {
        doctor.event("translation", |event| is_translation(event, after, language)).await;
    }
    // A fourth language is translated on request only.
    let mut third = world.connect(&Person::staff("wei", "seoul-clinic", "伟", "zh")).await;
    hospital_in(&mut third, &room).await;
    let last = patient.say(&room, "熱もあります。").await;
    world.settled().await;
    let history = third.ask("getChatHistory", json!({"room_id": room, "after_seq": last - 1})).await;
    let translations = history["messages"][0]["translations"].as_object().unwrap();
    assert_eq!(translations.keys().collect::<Vec<_>>(), ["en", "ko"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_written_while_translation_was_off_stay() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.ask("setRoomTranslation", json!({"room_id": room, "translation": "off"})).await;
    hospital.say(&room, HEADACHE).await;
    patient.ask("setRoomTranslation", json!({"room_id": room, "translation": "auto"})).await;
    patient.ask("joinGroup", json!({"group_id": room})).await;
    patient.ask("setLanguage", json!({"language": "en"})).await;
    world.settled().await;
    assert_eq!(world.translator.requests().translate, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn room_list_previews_are_translated() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = hospital.say(&room, HEADACHE).await;
    patient.event("translation", |event| is_translation(event, seq, "ja")).await;
    world.settled().await;
    let preview = patient.ask("getRoomList", json!({})).await["rooms"][0]["last_message"].clone();
    assert_eq!((&preview["message"], &preview["language"]), (&json!(HEADACHE), &json!("ko")));
    assert_eq!(preview["translation"]["language"], "ja");
    assert_eq!(preview["translation"]["text"], "頭が痛いです。");
    let own = hospital.ask("getRoomList", json!({})).await["rooms"][0]["last_message"].clone();
    assert_eq!(own["translation"], Value::Null, "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn language_that_the_letters_contradict_is_not_believed() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = hospital.say(&room, "Where does it hurt?").await;
    let event = patient.event("translation", |event| is_translation(event, seq, "ja")).await;
    assert_eq!(event["translation"]["status"], "ok", "{event}");
    assert_eq!(world.translator.bodies().pop().unwrap()["source_lang"], Value::Null);
    let history = patient.ask("getChatHistory", json!({"room_id": room, "after_seq": seq - 1})).await;
    assert_eq!(history["messages"][0]["language"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn language_that_the_room_lost_is_added_again() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    // As after a crash between the member's row and the room's.
    let mut row = world.rows("RoomsTable").await.pop().unwrap();
    row.as_object_mut().unwrap().remove("languages");
    world.put("RoomsTable", [row]).await;
    patient.ask("joinGroup", json!({"group_id": room})).await;
    let seq = hospital.say(&room, HEADACHE).await;
    patient.event("translation", |event| is_translation(event, seq, "ja")).await;
}
