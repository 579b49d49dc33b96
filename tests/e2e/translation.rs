//! Translation: what is translated, what is sent to DeepL, and what it costs.

mod corrections;
mod failures;

use end_to_end::{Consultation, Person, World};
use serde_json::{Value, json};

const HEADACHE: &str = "頭が痛いです。";

/// Whether an event is the translation of an entry into a language of any region.
fn is_translation(event: &Value, seq: u64, language: &str) -> bool {
    let tag = event["translation"]["language"].as_str().unwrap_or_default();
    event["seq"] == seq && tag.split('-').next() == Some(language)
}

/// A world with these template parameters.
async fn world(parameters: &[(&str, &str)]) -> World {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    World::with(|options| options.parameters.extend(parameters)).await
}

/// All request bodies that were sent to DeepL, as one text.
fn sent(world: &World) -> String {
    world.translator.bodies().iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn correction_survives_redelivery_in_three_languages() {
    let world = World::start().await;
    let people = [("aiko", "愛子", "ja"), ("joon", "준", "ko"), ("emma", "Emma", "en")];
    let mut clients = Vec::new();
    for (id, name, language) in people {
        clients.push((world.connect(&Person::user(id, name, language)).await, language));
    }
    let members = json!({"kind": "group", "name": "Recovery", "members": ["user:joon", "user:emma"]});
    let room = clients[0].0.ask("createRoom", members).await["room"]["room_id"].as_str().unwrap().to_owned();
    for (speaker, text) in [(0, "頭が痛いです。"), (1, "언제부터 아프셨어요?"), (2, "Thank you")] {
        let seq = clients[speaker].0.say(&room, text).await;
        for (reader, (client, language)) in clients.iter_mut().enumerate() {
            if reader != speaker {
                client.hears(text).await;
                let event = client.event("translation", |event| is_translation(event, seq, language)).await;
                assert_eq!(event["translation"]["status"], "ok", "{event}");
            }
        }
    }
    // The last message, because its batch is the one that is redelivered.
    let seq = 4;
    let better = "고마워요.";
    let corrected = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": better, "version": 1});
    let machine = clients[2].0.ask("translateMessage", json!({"room_id": room, "seq": seq, "language": "ko"})).await;
    clients[2].0.ask("setTranslatedMessage", corrected).await;
    let event = clients[1].0.event("translation", |event| event["translation"]["source"] == "person").await;
    assert_eq!(event["translation"]["text"], better);
    assert_eq!(event["translation"]["machine_text"], machine["translation"]["text"], "the machine translation is kept");
    for (client, _) in &mut clients {
        client.event("message", |event| event["event"]["name"] == "translation_corrected").await;
    }

    world.settled().await;
    world.gateway.streams().redeliver_last().await;
    let answer = clients[0].0.ask("translateMessage", json!({"room_id": room, "seq": seq, "language": "ko"})).await;
    assert_eq!(answer["translation"]["text"], better, "the stored translation is returned");
    world.settled().await;
    for (client, _) in &mut clients {
        let history = client.ask("getChatHistory", json!({"room_id": room, "after_seq": seq - 1, "limit": 1})).await;
        assert_eq!(history["messages"][0]["translations"]["ko"]["text"], better);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_translation_costs_no_characters() {
    let world = World::start().await;
    let mut hospital = world.connect(&testkit::people::coordinator()).await;
    for (number, user) in ["aiko", "ren"].into_iter().enumerate() {
        let mut patient = world.connect(&Person::user(user, "Patient", "ja")).await;
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        patient.say(&format!("consult:{user}:seoul-clinic"), &format!("患者{number}です")).await;
        let seq = hospital.say(&format!("consult:{user}:seoul-clinic"), "감사합니다").await;
        let event = patient.event("translation", |event| is_translation(event, seq, "ja")).await;
        assert_eq!(event["translation"]["text"], "ありがとうございます");
    }
    world.settled().await;
    let usage = hospital.ask("getUsage", json!({})).await;
    let thanks = "감사합니다".chars().count();
    let rest: usize = ["患者0です", "患者1です"].iter().map(|text| text.chars().count()).sum();
    assert_eq!(usage["billed_characters"], thanks + rest, "{usage}");
    assert_eq!((&usage["cache_hits"], &usage["saved_characters"]), (&json!(1), &json!(thanks)));
    assert_eq!((&usage["translations"], &usage["failures"]), (&json!(3), &json!(0)));
    assert!(usage["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(world.translator.requests().billed_characters, (thanks + rest) as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn wordless_messages_are_not_translated() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for text in ["👍", "38.5", "https://clinic.example/map", "010-1234-5678"] {
        patient.say(&room, text).await;
        let event = hospital.hears(text).await;
        assert_eq!(event["translations"]["ko"]["status"], "same", "{event}");
    }
    world.settled().await;
    assert_eq!(world.translator.requests().translate, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn stricter_translation_setting_wins() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let set = |mode: &str| json!({"room_id": room, "translation": mode});
    let reply = patient.ask("setRoomTranslation", set("off")).await;
    assert_eq!(reply["translation"], "off");
    let event = hospital.event("message", |event| event["event"]["name"] == "translation_changed").await;
    assert_eq!((&event["event"]["from"], &event["event"]["to"]), (&json!("auto"), &json!("off")));
    let seq = hospital.say(&room, "안녕하세요").await;
    patient.hears("안녕하세요").await;
    let asked = json!({"room_id": room, "seq": seq, "language": "ja"});
    patient.refused("translateMessage", asked.clone(), "forbidden").await;
    hospital.ask("setRoomTranslation", set("on_request")).await;
    assert_eq!(
        hospital.ask("setRoomTranslation", set("auto")).await["translation"],
        "off",
        "the patient's setting is stricter"
    );

    assert_eq!(patient.ask("setRoomTranslation", set("on_request")).await["translation"], "on_request");
    hospital.say(&room, "감사합니다").await;
    world.settled().await;
    assert_eq!(world.translator.requests().translate, 0, "nothing was translated automatically");
    patient.ask("translateMessage", asked).await;
    assert_eq!(world.translator.requests().translate, 1);

    assert_eq!(patient.ask("setRoomTranslation", set("auto")).await["translation"], "auto");
    let seq = hospital.say(&room, "감사합니다").await;
    patient.event("translation", |event| is_translation(event, seq, "ja")).await;
    let rooms = patient.ask("getRoomList", json!({})).await;
    assert_eq!(rooms["rooms"][0]["translation"], "auto");
}

#[tokio::test(flavor = "multi_thread")]
async fn untranslated_messages_are_never_context() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mode = |mode: &str| json!({"room_id": room, "translation": mode});
    patient.ask("setRoomTranslation", mode("off")).await;
    patient.say(&room, "誰にも言わないでください").await;
    patient.ask("setRoomTranslation", mode("on_request")).await;
    patient.say(&room, "これも内緒です").await;
    let asked_for = patient.say(&room, HEADACHE).await;
    hospital.ask("translateMessage", json!({"room_id": room, "seq": asked_for, "language": "ko"})).await;
    patient.ask("setRoomTranslation", mode("auto")).await;
    let seq = patient.say(&room, "昨日からです").await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    let bodies = world.translator.bodies();
    assert_eq!(bodies[0]["context"], Value::Null, "{bodies:#?}");
    assert_eq!(bodies[1]["context"], HEADACHE, "a text that was sent before may be context: {bodies:#?}");
    assert_eq!(bodies.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_off_cancels_waiting_translations() {
    for mode in ["off", "on_request"] {
        let world = World::start().await;
        let Consultation { room, mut patient, .. } = world.consultation().await;
        world.settled().await;
        world.gateway.streams().pause();
        patient.say(&room, HEADACHE).await;
        patient.ask("setRoomTranslation", json!({"room_id": room, "translation": mode})).await;
        world.gateway.streams().resume();
        world.settled().await;
        assert_eq!(world.translator.requests().translate, 0, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_consult_uses_the_configured_mode() {
    let world = world(&[("ConsultTranslation", "on_request")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.say(&room, HEADACHE).await;
    world.settled().await;
    assert_eq!(world.translator.requests().translate, 0);
    assert_eq!(hospital.ask("getRoomList", json!({})).await["rooms"][0]["translation"], "on_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn identifying_numbers_never_reach_deepl() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let numbers = [
        "090-1234-5678",
        "1234 5678 9012",
        "900101-1234567",
        "4111、1111、1111、1111",
        "090-1234-\n5678",
        "TK 123 4567",
    ];
    for number in numbers {
        let text = format!("番号は{number}です");
        let seq = patient.say(&room, &text).await;
        let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
        let translated = event["translation"]["text"].as_str().unwrap();
        assert!(number.lines().all(|line| translated.contains(line)), "{event}");
    }
    let seq = patient.say(&room, "薬は500mgです\n一日3回です").await;
    let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    assert!(event["translation"]["text"].as_str().unwrap().contains("500mg"));
    assert_eq!(event["translation"]["text"].as_str().unwrap().lines().count(), 2, "{event}");
    let sent = sent(&world);
    for digits in ["1234", "4567", "5678", "9012", "1111", "900101"] {
        assert!(!sent.contains(digits), "{digits} was sent: {sent}");
    }
    assert!(sent.contains("500mg"));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_messages_are_translated_in_one_request() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    world.gateway.streams().pause();
    let mut last = 0;
    for text in ["昨日からです", "熱もあります", "ありがとうございます"] {
        last = patient.say(&room, text).await;
    }
    world.gateway.streams().resume();
    hospital.event("translation", |event| is_translation(event, last, "ko")).await;
    world.settled().await;
    let mut bodies = world.translator.bodies();
    bodies.sort_by_key(|body| body["context"].is_null());
    assert_eq!(bodies.len(), 2, "one request with context, and one for the stock phrase: {bodies:#?}");
    let mut texts: Vec<_> = bodies[0]["text"].as_array().unwrap().clone();
    texts.sort_by_key(ToString::to_string);
    assert_eq!(texts, ["昨日からです", "熱もあります"]);
    assert_eq!(bodies[0]["context"], "昨日からです\n熱もあります\nありがとうございます");
    assert_eq!(bodies[1]["text"], json!(["ありがとうございます"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn unordered_backlog_is_translated_completely() {
    const TEXTS: u64 = 20;
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let first = patient.say(&room, HEADACHE).await;
    world.settled().await;
    let mut row = world.log_of(&room).await.pop().unwrap();
    // A page of a query is at most a megabyte.
    row["translations"] = json!({"de": row["translations"]["ko"]});
    row["translations"]["de"]["text"] = json!("x".repeat(80_000));
    let rows = (first + 1..=first + TEXTS).rev().map(|seq| {
        let mut row = row.clone();
        row["seq"] = json!(seq);
        row["message"] = json!(format!("メッセージ{seq}です"));
        row
    });
    world.gateway.streams().pause();
    world.put("MessagesTable", rows).await;
    world.gateway.streams().resume();
    world.settled().await;
    for row in world.log_of(&room).await.iter().filter(|row| row["seq"].as_u64() > Some(first)) {
        assert_eq!(row["translations"]["ko"]["status"], "ok", "{}", row["seq"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn glossary_tone_and_model_are_sent() {
    let world =
        world(&[("DeepLGlossaries", "ja>ko=the-glossary, ko>ja=another"), ("DeepLModel", "latency_optimized")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    let body = &world.translator.bodies()[0];
    assert_eq!(body["glossary_id"], "the-glossary");
    assert_eq!(body["source_lang"], "JA");
    assert_eq!(body["model_type"], "latency_optimized");
    assert!(body["custom_instructions"][0].as_str().unwrap().contains("polite"), "{body}");
    assert_eq!(body["show_billed_characters"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn legacy_language_tags_are_mapped() {
    let world = World::start().await;
    let mut hospital = world.connect(&testkit::people::coordinator()).await;
    for (user, language, text, source) in [
        ("kari", "no", "Jeg har vondt", json!("NB")),
        ("noa", "iw", "כואב לי הראש", json!("HE")),
        ("ann", "xx", "Hello", Value::Null),
    ] {
        let mut patient = world.connect(&Person::user(user, "Patient", language)).await;
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        let room = format!("consult:{user}:seoul-clinic");
        let theirs = |event: &Value, seq, language| event["room_id"] == *room && is_translation(event, seq, language);
        let seq = patient.say(&room, text).await;
        let event = hospital.event("translation", |event| theirs(event, seq, "ko")).await;
        assert_eq!(event["translation"]["status"], "ok", "{event}");
        assert_eq!(world.translator.bodies().pop().unwrap()["source_lang"], source);
        let seq = hospital.say(&room, "안녕하세요").await;
        let event = patient.event("translation", |event| theirs(event, seq, language)).await;
        match source {
            Value::Null => assert_eq!(event["translation"]["reason"], "unsupported_language", "{event}"),
            source => assert_eq!(world.translator.bodies().pop().unwrap()["target_lang"], source),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_may_write_in_another_language() {
    let world = World::start().await;
    let mut patient = world.connect(&Person::user("ann", "Ann", "en")).await;
    let mut hospital = world.connect(&testkit::people::coordinator()).await;
    let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let room = reply["room"]["room_id"].as_str().unwrap().to_owned();
    let english = "Please wait a moment.";
    let seq = hospital.say(&room, english).await;
    let event = patient.event("translation", |event| is_translation(event, seq, "en")).await;
    assert_eq!((&event["translation"]["status"], &event["translation"]["text"]), (&json!("same"), &json!(english)));
    assert_eq!(world.translator.bodies()[0]["source_lang"], Value::Null);
    let seq = hospital.say(&room, "언제부터 아프셨어요?").await;
    let event = patient.event("translation", |event| is_translation(event, seq, "en")).await;
    assert_eq!(event["translation"]["status"], "ok", "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_message_share_context() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let text = "頭が痛いです。\n38.5\n昨日からです";
    let seq = patient.say(&room, text).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    assert_eq!(world.translator.bodies()[0]["context"], text);
}

#[tokio::test(flavor = "multi_thread")]
async fn target_languages_follow_deepls_list() {
    let world = World::start().await;
    world.translator.add_language("SW");
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    world.settled().await;
    let calls = world.translator.requests().translate;
    let ask = |language: &str| json!({"room_id": room, "seq": seq, "language": language});
    let reply = patient.ask("translateMessage", ask("sw")).await;
    assert_eq!(reply["translation"]["status"], "ok", "{reply}");
    let refusal = patient.refused("translateMessage", ask("xx"), "translation_unavailable").await;
    assert_eq!(refusal["reason"], "unsupported_language");
    let requests = world.translator.requests();
    assert_eq!(requests.translate, calls + 1);
    assert_eq!(requests.other, 1, "the list of languages is requested once");
    let row = world.log_of(&room).await.pop().unwrap();
    assert!(row["translations"].get("xx").is_none(), "nothing was written: {row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_months_and_cursors_are_refused() {
    let world = World::start().await;
    let mut hospital = world.connect(&testkit::people::coordinator()).await;
    for month in ["2026", "2026-13", "2026-1", "x"] {
        hospital.refused("getUsage", json!({"month": month}), "bad_request").await;
    }
    assert_eq!(hospital.ask("getUsage", json!({"month": "2020-01"})).await["billed_characters"], 0);
    hospital.refused("getFailedTranslations", json!({"cursor": "nonsense"}), "bad_request").await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    patient.refused("getUsage", json!({}), "forbidden").await;
    hospital
        .refused(
            "setRoomTranslation",
            json!({"room_id": "consult:aiko:seoul-clinic", "translation": "maybe"}),
            "bad_request",
        )
        .await;
}
