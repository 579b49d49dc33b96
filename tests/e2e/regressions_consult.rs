//! Regressions of the consultation chat that Damso grew from: its ten failures do not recur, and its promises still
//! hold.

use std::collections::BTreeSet;

use end_to_end::{Consultation, Person, Row, World};
use futures::future::join_all;
use serde_json::{Value, json};

/// A row of the connections table, copied from `model`, for a connection of another participant.
fn connection(model: &Row, participant: &str, connection_id: &str) -> Row {
    let mut row = model.clone();
    row["audience"] = json!(participant);
    row["participant"] = json!(participant);
    row["user_id"] = json!(participant.rsplit(':').next());
    row["connection_id"] = json!(connection_id);
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_other_connections_hide_no_message() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let model = world.rows("ConnectionsTable").await.pop().unwrap();
    // More than one page of a query, which is a megabyte.
    let mut others: Vec<Row> =
        (0..6_000).map(|n| connection(&model, &format!("user:other-{n}"), &format!("other-{n}="))).collect();
    for row in &mut others {
        row["name"] = json!("이름".repeat(30));
    }
    world.put("ConnectionsTable", others).await;
    patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    hospital.say(&room, "네").await;
    patient.hears("네").await;
    world.settled().await;
    assert_eq!(world.calls("dynamodb:Scan"), 0, "no function scans");
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_messages_are_all_kept() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    let (first, second, third) =
        tokio::join!(patient.say(&room, "一"), hospital.say(&room, "하나"), laptop.say(&room, "二"));
    assert_eq!(BTreeSet::from([first, second, third]), BTreeSet::from([2, 3, 4]));
    let history = patient.ask("getChatHistory", json!({"room_id": room})).await;
    let texts: BTreeSet<_> =
        history["messages"].as_array().unwrap().iter().map(|message| message["message"].as_str().unwrap()).collect();
    assert_eq!(texts, BTreeSet::from(["", "一", "二", "하나"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn patient_with_hospitals_id_reads_nothing() {
    let world = World::start().await;
    let Consultation { room, .. } = world.consultation().await;
    world.settled().await;
    let mut namesake = world.connect(&Person::user("seoul-clinic", "Imposter", "en")).await;
    // The role comes from the token alone; a request cannot claim another.
    let claims =
        json!({"user_type": "hospital", "hospital_id": "seoul-clinic", "participant": "hospital:seoul-clinic"});
    let mut ask = claims.clone();
    let list = namesake.ask("getRoomList", ask.clone()).await;
    assert_eq!(list["rooms"], json!([]));
    ask["room_id"] = json!(room);
    namesake.refused("getChatHistory", ask.clone(), "not_found").await;
    ask["message"] = json!("hello from the hospital");
    namesake.refused("sendMessage", ask, "not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn correcting_missing_message_creates_nothing() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = hospital.say(&room, "언제부터 아프셨어요?").await;
    hospital.event("translation", |event| event["seq"] == seq).await;
    let correct =
        |seq: u64| json!({"room_id": room, "seq": seq, "language": "ja", "translated_message": "いつからですか？"});
    hospital.ask("setTranslatedMessage", correct(seq)).await;
    for side in [&mut patient, &mut hospital] {
        side.event("translation", |event| event["seq"] == seq && event["translation"]["text"] == "いつからですか？")
            .await;
    }
    world.settled().await;
    let before = world.log_of(&room).await.len();
    hospital.refused("setTranslatedMessage", correct(1_000), "not_found").await;
    assert_eq!(world.log_of(&room).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn room_list_is_current_with_numeric_counts() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for (number, text) in ["一", "二", "三"].into_iter().enumerate() {
        patient.say(&room, text).await;
        world.settled().await;
        let list = hospital.ask("getRoomList", json!({})).await;
        let shown = &list["rooms"][0];
        assert_eq!(shown["last_message"]["message"], text);
        assert_eq!(shown["unread_count"].as_u64(), Some(number as u64 + 1), "{shown}");
        assert_eq!(shown["last_seq"].as_u64(), Some(number as u64 + 2), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn second_device_keeps_first_connected() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut second = world.connect(&testkit::people::patient()).await;
    hospital.say(&room, "네").await;
    patient.hears("네").await;
    second.hears("네").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_history_pages_stay_within_32_kilobytes() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    hospital.say(&room, "처음").await;
    world.settled().await;
    world.gateway.streams().pause();
    world.write_log(&room, (0..300).map(|number| format!("{number:03}{}", "가".repeat(297)))).await;

    let mut request = json!({"limit": 100});
    let mut seqs = Vec::new();
    loop {
        request["room_id"] = json!(room);
        let page = patient.ask("getChatHistory", request).await;
        assert!(page.to_string().len() <= 32 * 1024, "{} bytes", page.to_string().len());
        let mut of_page: Vec<u64> =
            page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect();
        assert!(of_page.is_sorted() && !of_page.is_empty(), "{of_page:?}");
        of_page.append(&mut seqs);
        seqs = of_page;
        if page["has_more"] == false {
            break;
        }
        request = page["next"].clone();
    }
    assert_eq!(seqs, (1..=302).collect::<Vec<u64>>(), "each entry once and in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_history_page_is_the_newest() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    hospital.say(&room, "처음").await;
    world.settled().await;
    world.gateway.streams().pause();
    // Two megabytes, which are more than two pages of a query.
    world.write_log(&room, (0..200).map(|number| format!("{number}{}", "x".repeat(10_000)))).await;
    let page = patient.ask("getChatHistory", json!({"room_id": room})).await;
    let newest = page["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["seq"], 202);
    assert!(newest["message"].as_str().unwrap().starts_with("199"));
    let oldest = patient.ask("getChatHistory", json!({"room_id": room, "after_seq": 0, "limit": 2})).await;
    assert_eq!(oldest["messages"][0]["event"]["name"], "room_created");
    assert_eq!(oldest["messages"][1]["message"], "처음");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_connections_are_removed_without_delay() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut model = world
        .rows("ConnectionsTable")
        .await
        .into_iter()
        .find(|row| row["audience"] == "hospital:seoul-clinic")
        .unwrap();
    // Connected an hour ago: a row younger than a minute may belong to a handshake that is still in progress.
    model["connected_at"] = json!(model["connected_at"].as_u64().unwrap() - 3_600_000);
    let dead: Vec<Row> =
        (0..5).map(|number| connection(&model, "hospital:seoul-clinic", &format!("dead-{number}="))).collect();
    world.put("ConnectionsTable", dead).await;
    patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    world.settled().await;
    let left: Vec<Row> = world.rows("ConnectionsTable").await;
    assert!(left.iter().all(|row| !row["connection_id"].as_str().unwrap().starts_with("dead-")), "{left:#?}");
    assert_eq!(left.len(), 2, "the two open connections stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn translation_never_delays_or_repeats_messages() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    hospital.rest().await;
    // While DeepL does not answer, the text is acknowledged and delivered nevertheless.
    world.translator.hold();
    let seq = patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    world.translator.release();
    hospital.event("translation", |event| event["seq"] == seq).await;
    world.settled().await;
    assert_eq!(hospital.rest().await, Vec::<Value>::new(), "nothing is pushed twice");
    assert_eq!(world.calls("dynamodb:Scan"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn translates_more_than_twenty_languages() {
    let languages = [
        "ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "id", "it", "lt", "nb", "nl", "pl", "pt-BR",
        "ro", "ru", "sv", "tr", "uk", "vi", "zh-Hans", "zh-Hant",
    ];
    let world = World::start().await;
    let mut staff = world.connect(&testkit::people::coordinator()).await;
    let patients = join_all(languages.iter().enumerate().map(async |(number, language)| {
        world.connect(&Person::user(&format!("patient-{number}"), "Patient", language)).await
    }))
    .await;
    for (number, (mut patient, language)) in patients.into_iter().zip(languages).enumerate() {
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        let seq = staff.say(&format!("consult:patient-{number}:seoul-clinic"), &format!("안녕하세요 {number}")).await;
        let event = patient.event("translation", |event| event["seq"] == seq).await;
        assert_eq!(event["translation"]["status"], "ok", "{language}: {event}");
        let told = event["translation"]["language"].as_str().unwrap();
        assert!(told.eq_ignore_ascii_case(language) || told.split('-').next() == Some(language), "{language}: {event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_has_its_own_unread_count() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.say(&room, "一").await;
    patient.say(&room, "二").await;
    world.settled().await;
    let unread = async |client: &mut end_to_end::Client| {
        client.ask("getRoomList", json!({})).await["rooms"][0]["unread_count"].clone()
    };
    assert_eq!((unread(&mut patient).await, unread(&mut hospital).await), (json!(0), json!(2)));
    hospital.ask("markRead", json!({"room_id": room, "seq": 3})).await;
    assert_eq!(unread(&mut hospital).await, 0);
    // The sender of a message has read it.
    hospital.say(&room, "네").await;
    world.settled().await;
    assert_eq!((unread(&mut patient).await, unread(&mut hospital).await), (json!(1), json!(0)));
}

/// The caller's only room.
async fn listed_room(client: &mut end_to_end::Client) -> Value {
    client.ask("getRoomList", json!({})).await["rooms"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn own_texts_after_unread_ones_do_not_count() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let unread = hospital.say(&room, "어디가 불편하세요?").await;
    for text in ["頭が痛いです。", "昨日から。", "熱もあります。"] {
        patient.say(&room, text).await;
        world.settled().await;
    }
    let listed = listed_room(&mut patient).await;
    assert_eq!(listed["unread_count"], 1, "{listed}");
    assert_eq!(listed_room(&mut hospital).await["unread_count"], 3);
    // A mark in the middle leaves only what the other side writes afterwards.
    let marked = patient.ask("markRead", json!({"room_id": room, "seq": unread})).await;
    assert_eq!(marked["unread_count"], 0, "{marked}");
    hospital.say(&room, "언제부터요?").await;
    patient.say(&room, "え？").await;
    world.settled().await;
    assert_eq!(listed_room(&mut patient).await["unread_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn consultations_are_listed_by_status() {
    let world = World::start().await;
    let mut staff = world.connect(&testkit::people::coordinator()).await;
    for user in ["a", "b", "c"] {
        staff.ask("createRoom", json!({"kind": "consult", "user_id": user})).await;
    }
    staff.ask("changeRoomStatus", json!({"room_id": "consult:a:seoul-clinic", "status": "in_progress"})).await;
    staff.ask("changeRoomStatus", json!({"room_id": "consult:b:seoul-clinic", "status": "closed"})).await;
    world.settled().await;
    for (status, room) in [("waiting", "c"), ("in_progress", "a"), ("closed", "b")] {
        let list = staff.ask("getRoomList", json!({"status": status})).await;
        let rooms: Vec<_> =
            list["rooms"].as_array().unwrap().iter().map(|room| room["room_id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(rooms, [format!("consult:{room}:seoul-clinic")], "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requested_translation_keeps_correction() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    hospital.event("translation", |event| event["seq"] == seq).await;
    let correction = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "두통이 심해요."});
    hospital.ask("setTranslatedMessage", correction).await;
    let reply = hospital.ask("translateMessage", json!({"room_id": room, "seq": seq, "language": "ko"})).await;
    assert_eq!(reply["translation"]["text"], "두통이 심해요.", "the correction is kept");
    world.gateway.streams().redeliver_last().await;
    world.settled().await;
    let history = hospital.ask("getChatHistory", json!({"room_id": room, "after_seq": seq - 1})).await;
    assert_eq!(history["messages"][0]["translations"]["ko"]["text"], "두통이 심해요.");
}
