//! Who asks for too much is told to wait, by themselves and nobody else with them.

use end_to_end::{Consultation, Person, World};
use serde_json::json;

async fn world(parameters: &[(&str, &str)]) -> World {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    World::with(|options| options.parameters.extend(parameters)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_the_same_text_four_times_is_muted_in_that_room_for_a_while() {
    let world = world(&[("MuteSeconds", "3"), ("SendWindowMs", "0")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "busan-clinic"})).await;
    let accepted = json!({"room_id": room, "message": "네", "message_id": "0b3c1d2e-aaaa-4bbb-8ccc-1234567890ab"});
    hospital.ask("sendMessage", accepted.clone()).await;
    for _ in 0..2 {
        hospital.say(&room, "네").await;
    }
    let send = |text: &str| json!({"room_id": room, "message": text});
    let refusal = hospital.refused("sendMessage", send("네"), "rate_limited").await;
    assert_eq!(refusal["retry_after_ms"], 3_000, "{refusal}");
    let refusal = hospital.refused("sendMessage", send("다른 말"), "rate_limited").await;
    assert!((1..3_000).contains(&refusal["retry_after_ms"].as_u64().unwrap()), "the time left: {refusal}");
    assert_eq!(
        hospital.ask("sendMessage", accepted).await["duplicate"],
        true,
        "what was accepted is answered as before"
    );
    // One nurse's key repeat mutes no clinic.
    colleague.say(&room, "제가 답할게요").await;
    patient.hears("제가 답할게요").await;
    world.settled().await;
    assert!(!json!(patient.rest().await).to_string().contains("rate_limited"), "told to that person only");
    let sent = world.log_of(&room).await.len();
    while hospital.request("sendMessage", send("이제 됩니다")).await["type"] == "error" {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.log_of(&room).await.len(), sent + 1, "while muted nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_something_has_a_bucket_for_each_person() {
    let world = world(&[("CostlyPerMinute", "1"), ("CostlyBurst", "3")]).await;
    let mut staff = world.connect(&testkit::people::coordinator()).await;
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    let consult = |patient: &str| json!({"kind": "consult", "user_id": patient});
    for patient in ["a", "b", "c"] {
        staff.ask("createRoom", consult(patient)).await;
    }
    let refusal = staff.refused("createRoom", consult("d"), "rate_limited").await;
    assert_eq!(refusal["retry_after_ms"], 60_000, "{refusal}");
    staff.refused("joinGroup", json!({"room_id": "open:new"}), "rate_limited").await;
    staff.ask("createRoom", consult("a")).await;
    colleague.ask("createRoom", consult("d")).await;
    let room = "consult:a:seoul-clinic";
    let seq = staff.say(room, "안녕하세요, 무엇을 도와드릴까요?").await;
    for _ in 0..3 {
        staff.ask("getChatHistory", json!({"room_id": room, "query": "도와"})).await;
    }
    staff.refused("getChatHistory", json!({"room_id": room, "query": "도와"}), "rate_limited").await;
    staff.ask("getChatHistory", json!({"room_id": room})).await;
    let into = |language: &str| json!({"room_id": room, "seq": seq, "language": language});
    for language in ["en", "ja", "de"] {
        staff.ask("translateMessage", into(language)).await;
    }
    staff.refused("translateMessage", into("fr"), "rate_limited").await;
    staff.ask("translateMessage", into("en")).await;
    assert_eq!(world.translator.requests().translate, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_log_records_for_good_is_not_changed_back_and_forth_without_end() {
    let world = world(&[("CostlyPerMinute", "1"), ("CostlyBurst", "3")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let translated = |mode: &str| json!({"room_id": room, "translation": mode});
    for mode in ["off", "on_request", "off"] {
        patient.ask("setRoomTranslation", translated(mode)).await;
    }
    patient.refused("setRoomTranslation", translated("auto"), "rate_limited").await;
    patient.refused("changeRoomStatus", json!({"room_id": room, "status": "closed"}), "rate_limited").await;
    let unchanged = patient.ask("setRoomTranslation", translated("off")).await;
    assert_eq!(unchanged["translation"], "off", "what changes nothing takes nothing");
    hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await;
    assert_eq!(world.log_of(&room).await.len(), 1 + 3 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_listens_in_a_hundred_rooms_and_no_more() {
    let world = world(&[("CostlyPerMinute", "0")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let open = |number: usize| json!({"room_id": format!("open:hall-{number}")});
    for number in 0..100 {
        patient.ask("joinGroup", open(number)).await;
    }
    let refusal = patient.refused("joinGroup", open(100), "forbidden").await;
    assert!(refusal["message"].as_str().unwrap().contains("100 rooms"), "{refusal}");
    patient.ask("joinGroup", open(7)).await;
    // What is heard as a participant is heard whatever was joined.
    patient.ask("joinGroup", json!({"room_id": room})).await;
    hospital.say(&room, "들리세요?").await;
    patient.hears("들리세요?").await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    laptop.ask("joinGroup", open(100)).await;
    patient.leave().await;
    world.settled().await;
    while world.rows("ConnectionsTable").await.iter().any(|row| row["audience"] == "open:hall-7") {
        tokio::task::yield_now().await;
    }
}
