//! Texts, names and credentials are never logged, at any level, and names cannot be learned by guessing ids.

use end_to_end::{Client, Consultation, Credential, Person, TOKEN_SECRET, World, sign};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::http::HeaderMap;

#[tokio::test(flavor = "multi_thread")]
async fn logs_contain_no_personal_data() {
    let world = World::with(|options| {
        options.parameters.insert("LogLevel".to_owned(), "TRACE".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, "頭が痛いです。").await;
    hospital.event("translation", |event| event["seq"] == seq).await;
    let correction = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "두통이 심해요."});
    hospital.ask("setTranslatedMessage", correction).await;
    patient.ask("getChatHistory", json!({"room_id": room, "query": "Geheimnis"})).await;

    // Texts get into logs when something goes wrong.
    patient
        .refused("sendMessage", json!({"room_id": room, "message": "Geheimnis".repeat(1_000)}), "message_too_long")
        .await;
    patient.refused("sendMessage", json!({"room_id": "Geheimnis", "message": "Geheimnis"}), "bad_request").await;
    patient.refused("Geheimnis", json!({"message": "Geheimnis"}), "unknown_action").await;
    patient.send(r#"{"action":"sendMessage","message":"Geheimnis"#).await;
    patient.frame("the refusal", |frame| frame["code"] == "bad_request").await;
    let stranger =
        sign(&json!({"sub": "aiko", "name": "Geheimnis", "exp": 4_102_444_800_u64}), "another secret, long enough");
    world.try_connect(&stranger, Credential::Query).await.expect_err("not signed by the issuer");
    world.translator.set_failure(Some(403));
    let failed = patient.say(&room, "Geheimnis eins").await;
    hospital.event("translation", |event| event["seq"] == failed).await;
    world.translator.set_failure(None);
    let mut broken = world.log_of(&room).await.pop().expect("a message");
    broken["seq"] = json!(failed + 1);
    broken["sender"] = json!("Geheimnis zwei");
    world.put("MessagesTable", [broken]).await;
    patient.ask("getChatHistory", json!({"room_id": room})).await;
    let members = world.rows("MembersTable").await;
    let member = members.into_iter().find(|row| row["participant"] == "user:aiko").expect("a member");
    let mut broken = member.clone();
    broken["joined_at"] = json!("Geheimnis drei");
    world.put("MembersTable", [broken]).await;
    patient.refused("getChatHistory", json!({"room_id": room}), "internal").await;
    world.put("MembersTable", [member]).await;

    // Credentials pass through several functions.
    let aiko = Person::user("aiko", "愛子", "ja");
    for place in [Credential::Header, Credential::Subprotocol, Credential::Query] {
        world.try_connect(&world.token(&aiko), place).await.unwrap();
    }
    let ticket = patient.ask("createTicket", json!({})).await["ticket"].as_str().unwrap().to_owned();
    world.prolong_tickets().await;
    let url = |query: &str| format!("{}?{query}", world.gateway.websocket_url());
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", "Geheimnis/1".parse().unwrap());
    Client::connect_with_headers(&url(&format!("ticket={ticket}")), headers).await.unwrap();
    Client::connect(&url(&format!("ticket={ticket}&note=Geheimnis")), None).await.expect_err("spent");
    patient.ask("refreshSession", json!({"token": world.token(&aiko)})).await;
    patient.refused("refreshSession", json!({"token": stranger}), "forbidden").await;
    patient.post("signOutEverywhere", json!({})).await;
    patient.closed().await;

    let own = world.token(&Person::user("aiko", "愛子", "ja"));
    let signature = own.rsplit('.').next().expect("a token has three parts");
    let told = [
        "頭が痛い",
        "머리가 아파",
        "두통",
        "Geheimnis",
        "愛子",
        "민준",
        "\\u611b",
        TOKEN_SECRET,
        signature,
        "eyJ",
        &ticket,
        "127.0.0.1\"",
    ];
    let logged = world.end().await;
    assert!(
        logged.iter().any(|line| line.line.contains("\"DEBUG\"") || line.line.contains("\"TRACE\"")),
        "all levels are on"
    );
    for line in &logged {
        for secret in told {
            assert!(!line.line.contains(secret), "{}: {}", line.function, line.line);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessed_id_reveals_no_name() {
    let world = World::start().await;
    let mut joon = world.connect(&Person::user("joon", "준", "ko")).await;
    let mut aiko = world.connect(&testkit::people::patient()).await;
    let named = |room: &Value| {
        let members = room["members"].as_array().unwrap();
        members.iter().find(|member| member["participant"] == "user:joon").unwrap()["name"].clone()
    };
    let direct = aiko.ask("createRoom", json!({"kind": "direct", "user_id": "joon"})).await["room"].clone();
    let group =
        aiko.ask("createRoom", json!({"kind": "group", "name": "会", "members": ["user:joon"]})).await["room"].clone();
    assert_eq!((named(&direct), named(&group)), (Value::Null, Value::Null));
    // By joining, a person reveals their name.
    joon.ask("joinGroup", json!({"room_id": group["room_id"]})).await;
    let seen = aiko.ask("joinGroup", json!({"room_id": group["room_id"]})).await;
    assert_eq!(named(&seen["room"]), "준");
    let mut staff = world.connect(&testkit::people::coordinator()).await;
    let consult = staff.ask("createRoom", json!({"kind": "consult", "user_id": "joon"})).await;
    assert_eq!(named(&consult["room"]), "준", "a hospital knows the names of its patients");
}
