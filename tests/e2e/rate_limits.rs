//! Rate limits: a person who asks for too much is told to wait, and nobody else is affected.

use std::time::{Duration, Instant};

use end_to_end::{Client, Consultation, Person, World, eventually, is_count_of};
use local_gateway::LogSink;
use serde_json::{Value, json};

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

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_limited_per_person() {
    // One at once, and the next one after a minute.
    let world = world(&[("RequestsPerMinute", "1")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    for (action, fields) in [
        ("sync", json!({"rooms": {room.clone(): 0}})),
        ("getRoomList", json!({})),
        ("getChatHistory", json!({"room_id": room})),
        ("markRead", json!({"room_id": room, "seq": seq})),
        ("joinGroup", json!({"room_id": room})),
        ("translateMessage", json!({"room_id": room, "seq": seq, "language": "en"})),
        ("setRoomTranslation", json!({"room_id": room, "translation": "auto"})),
        ("createTicket", json!({})),
        ("createRoom", json!({"kind": "consult", "user_id": "aiko"})),
        ("sendMessage", json!({"room_id": room, "message": "네"})),
        ("getUsage", json!({})),
    ] {
        hospital.ask(action, fields.clone()).await;
        let refusal = hospital.refused(action, fields.clone(), "rate_limited").await;
        let wait = refusal["retry_after_ms"].as_u64().unwrap();
        assert!((1..=60_000).contains(&wait), "{refusal}");
        // The patient has already opened the room and written in it, and may not ask for the last one.
        if !["createRoom", "sendMessage", "getUsage"].contains(&action) {
            patient.ask(action, fields).await;
        }
    }
}

/// A text that the patient says is translated into Korean on request only.
async fn asks_for(reader: &mut Client, room: &str, seq: u64) -> Value {
    reader.request("translateMessage", json!({"room_id": room, "seq": seq, "language": "ko"})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requested_characters_are_limited_per_person() {
    let world = world(&[("CharactersPerHour", "20"), ("ConsultTranslation", "on_request")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    let mut seqs = Vec::new();
    for text in ["頭が痛いです。", "昨日からです。", "熱もあります。", "ありがとうございます", "ありがとうございます"]
    {
        seqs.push(patient.say(&room, text).await);
    }
    let begun = Instant::now();
    for seq in &seqs[..2] {
        assert_eq!(asks_for(&mut hospital, &room, *seq).await["translation"]["status"], "ok");
    }
    let held = world.hold_rate_limits(begun).await;
    let refusal = asks_for(&mut hospital, &room, seqs[2]).await;
    assert_eq!(refusal["code"], "rate_limited", "{refusal}");
    // Seven characters, of which 20 are regained in an hour.
    assert_eq!(refusal["retry_after_ms"], 7 * 180_000, "{refusal}");
    assert_eq!(asks_for(&mut hospital, &room, seqs[0]).await["translation"]["status"], "ok", "it is there already");
    // The others have an allowance of their own, and what one of them had translated is cached for all.
    assert_eq!(asks_for(&mut colleague, &room, seqs[3]).await["translation"]["status"], "ok");
    assert_eq!(asks_for(&mut hospital, &room, seqs[4]).await["translation"]["status"], "ok", "it is cached");
    assert_eq!(world.translator.requests().billed_characters, 7 + 7 + 10);
    world.hold_rate_limits(held).await;
    assert_eq!(asks_for(&mut hospital, &room, seqs[2]).await["code"], "rate_limited");
    world.refill_rate_limits().await;
    assert_eq!(asks_for(&mut hospital, &room, seqs[2]).await["translation"]["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn hospital_gets_twice_its_budget_on_request() {
    let world = world(&[("TranslationBudget", "10"), ("ConsultTranslation", "on_request")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut seqs = Vec::new();
    for text in ["頭が痛いです。", "昨日からです。", "ありがとうございます", "熱もあります。", "ありがとうございます"]
    {
        seqs.push(patient.say(&room, text).await);
    }
    for seq in &seqs[..3] {
        assert_eq!(asks_for(&mut hospital, &room, *seq).await["translation"]["status"], "ok");
    }
    let refusal = asks_for(&mut hospital, &room, seqs[3]).await;
    assert_eq!(
        (&refusal["code"], &refusal["reason"]),
        (&json!("translation_unavailable"), &json!("quota")),
        "{refusal}"
    );
    assert_eq!(world.translator.requests().translate, 3);
    assert_eq!(asks_for(&mut hospital, &room, seqs[4]).await["translation"]["status"], "ok", "it is cached");

    patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "busan-clinic"})).await;
    let elsewhere = "consult:aiko:busan-clinic";
    let seq = patient.say(elsewhere, "頭が痛いです。").await;
    assert_eq!(asks_for(&mut patient, elsewhere, seq).await["translation"]["status"], "ok", "another hospital's month");
}

/// The row that counts the characters of the whole stack.
async fn stack_day(world: &World) -> Value {
    let mut rows = world.rows("UsageTable").await;
    rows.retain(|row| row["month"].as_str().is_some_and(|month| month.starts_with("day-")));
    assert_eq!(rows.len(), 1, "one row a day: {rows:?}");
    rows.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn daily_ceiling_covers_all_hospitals() {
    let world = World::with(|options| {
        options.log = LogSink::Collect;
        options.parameters.insert("StackCharactersPerDay".to_owned(), "20".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut elsewhere = world.connect(&Person::staff("jiwoo", "busan-clinic", "지우", "ko")).await;
    patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "busan-clinic"})).await;
    let other = "consult:aiko:busan-clinic";
    let is_high = |line: &local_gateway::LogLine| is_count_of(line, "StackCharactersHigh");

    let seq = patient.say(&room, "ありがとうございます").await;
    hospital.event("translation", |event| event["seq"] == seq).await;
    let counted = world.gateway.logged(|line| line.function == "AutoTranslateFunction" && is_high(line));
    tokio::time::timeout(end_to_end::DEADLINE, counted).await.expect("half of the characters are used");
    let seq = patient.say(other, "頭が痛くて熱もあります。").await;
    let event = elsewhere.event("translation", |event| event["seq"] == seq).await;
    assert_eq!(event["translation"]["status"], "ok", "{event}");
    world.settled().await;
    assert_eq!(stack_day(&world).await["billed_characters"], 10 + 12);

    let over = patient.say(other, "昨日からです。").await;
    let event = elsewhere.event("translation", |event| event["seq"] == over).await;
    assert_eq!(event["translation"]["reason"], "quota", "{event}");
    let refusal = asks_for(&mut elsewhere, other, over).await;
    assert_eq!(
        (&refusal["code"], &refusal["reason"]),
        (&json!("translation_unavailable"), &json!("quota")),
        "{refusal}"
    );
    let seq = patient.say(&room, "ありがとうございます").await;
    let event = hospital.event("translation", |event| event["seq"] == seq).await;
    assert_eq!(event["translation"]["status"], "ok", "it is cached: {event}");
    assert_eq!(world.translator.requests().translate, 2);

    let mut tomorrow = stack_day(&world).await;
    tomorrow["billed_characters"] = json!(0);
    world.put("UsageTable", [tomorrow]).await;
    assert_eq!(asks_for(&mut elsewhere, other, over).await["translation"]["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_keep_to_the_configured_pace() {
    const CONNECTIONS: u32 = 6;
    let world = world(&[("PushesPerSecond", "10"), ("ExpressLimit", "0")]).await;
    let Consultation { room, mut patient, hospital } = world.consultation().await;
    let mut clients = vec![hospital];
    for _ in 1..CONNECTIONS {
        clients.push(world.connect(&testkit::people::coordinator()).await);
    }
    world.settled().await;
    let begun = Instant::now();
    patient.say(&room, "はい").await;
    for client in &mut clients {
        client.hears("はい").await;
    }
    // The first one goes at once.
    let at_least = Duration::from_millis(100) * (CONNECTIONS - 1);
    assert!(begun.elapsed() >= at_least, "{:?}", begun.elapsed());
}
