//! Rate limits: a person who asks for too much is told to wait, and nobody else is affected.

use std::time::Instant;

use end_to_end::{Consultation, Person, World, eventually};
use serde_json::json;

async fn world(parameters: &[(&str, &str)]) -> World {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    World::with(|options| options.parameters.extend(parameters)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn fourth_repetition_mutes_in_that_room() {
    let world = world(&[("MuteSeconds", "3600"), ("SendWindowMs", "0")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "busan-clinic"})).await;
    let accepted = json!({"room_id": room, "message": "네", "message_id": "0b3c1d2e-aaaa-4bbb-8ccc-1234567890ab"});
    let begun = Instant::now();
    hospital.ask("sendMessage", accepted.clone()).await;
    for _ in 0..2 {
        hospital.say(&room, "네").await;
    }
    world.hold_log(&room, begun).await;
    let send = |text: &str| json!({"room_id": room, "message": text});
    let refusal = hospital.refused("sendMessage", send("네"), "rate_limited").await;
    assert_eq!(refusal["retry_after_ms"], 3_600_000, "{refusal}");
    let refusal = hospital.refused("sendMessage", send("다른 말"), "rate_limited").await;
    assert!((1..=3_600_000).contains(&refusal["retry_after_ms"].as_u64().unwrap()), "the remaining time: {refusal}");
    assert_eq!(
        hospital.ask("sendMessage", accepted).await["duplicate"],
        true,
        "what was accepted is answered as before"
    );
    // One nurse's key repeat does not mute the clinic.
    colleague.say(&room, "제가 답할게요").await;
    patient.hears("제가 답할게요").await;
    world.settled().await;
    assert!(!json!(patient.rest().await).to_string().contains("rate_limited"), "only the sender is told");
    let sent = world.log_of(&room).await.len();
    world.end_mutes().await;
    hospital.say(&room, "이제 됩니다").await;
    assert_eq!(world.log_of(&room).await.len(), sent + 1, "nothing was stored while muted");
}

#[tokio::test(flavor = "multi_thread")]
async fn limited_actions_have_a_bucket_per_person() {
    let world = world(&[("CostlyPerMinute", "1"), ("CostlyBurst", "3")]).await;
    let mut staff = world.connect(&testkit::people::coordinator()).await;
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    let consult = |patient: &str| json!({"kind": "consult", "user_id": patient});
    let begun = Instant::now();
    for patient in ["a", "b", "c"] {
        staff.ask("createRoom", consult(patient)).await;
    }
    let held = world.hold_rate_limits(begun).await;
    let refusal = staff.refused("createRoom", consult("d"), "rate_limited").await;
    assert_eq!(refusal["retry_after_ms"], 60_000, "{refusal}");
    world.hold_rate_limits(held).await;
    staff.refused("joinGroup", json!({"room_id": "open:new"}), "rate_limited").await;
    staff.ask("createRoom", consult("a")).await;
    colleague.ask("createRoom", consult("d")).await;
    let room = "consult:a:seoul-clinic";
    let seq = staff.say(room, "안녕하세요, 무엇을 도와드릴까요?").await;
    let begun = Instant::now();
    for _ in 0..3 {
        staff.ask("getChatHistory", json!({"room_id": room, "query": "도와"})).await;
    }
    world.hold_rate_limits(begun).await;
    staff.refused("getChatHistory", json!({"room_id": room, "query": "도와"}), "rate_limited").await;
    staff.ask("getChatHistory", json!({"room_id": room})).await;
    let into = |language: &str| json!({"room_id": room, "seq": seq, "language": language});
    let begun = Instant::now();
    for language in ["en", "ja", "de"] {
        staff.ask("translateMessage", into(language)).await;
    }
    world.hold_rate_limits(begun).await;
    staff.refused("translateMessage", into("fr"), "rate_limited").await;
    staff.ask("translateMessage", into("en")).await;
    assert_eq!(world.translator.requests().translate, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn logged_settings_are_rate_limited() {
    let world = world(&[("CostlyPerMinute", "1"), ("CostlyBurst", "3")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let translated = |mode: &str| json!({"room_id": room, "translation": mode});
    let begun = Instant::now();
    for mode in ["off", "on_request", "off"] {
        patient.ask("setRoomTranslation", translated(mode)).await;
    }
    let held = world.hold_rate_limits(begun).await;
    patient.refused("setRoomTranslation", translated("auto"), "rate_limited").await;
    world.hold_rate_limits(held).await;
    patient.refused("changeRoomStatus", json!({"room_id": room, "status": "closed"}), "rate_limited").await;
    let unchanged = patient.ask("setRoomTranslation", translated("off")).await;
    assert_eq!(unchanged["translation"], "off", "a change to the present value costs nothing");
    hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await;
    assert_eq!(world.log_of(&room).await.len(), 1 + 3 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_joins_at_most_100_rooms() {
    let world = world(&[("CostlyPerMinute", "0")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let open = |number: usize| json!({"room_id": format!("open:hall-{number}")});
    for number in 0..100 {
        patient.ask("joinGroup", open(number)).await;
    }
    let refusal = patient.refused("joinGroup", open(100), "forbidden").await;
    assert!(refusal["message"].as_str().unwrap().contains("100 rooms"), "{refusal}");
    patient.ask("joinGroup", open(7)).await;
    // A participant receives events of their own rooms regardless of the limit.
    patient.ask("joinGroup", json!({"room_id": room})).await;
    hospital.say(&room, "들리세요?").await;
    patient.hears("들리세요?").await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    laptop.ask("joinGroup", open(100)).await;
    patient.leave().await;
    world.settled().await;
    eventually("the connection's rows are removed", async || {
        world.rows("ConnectionsTable").await.iter().all(|row| row["audience"] != "open:hall-7")
    })
    .await;
}
