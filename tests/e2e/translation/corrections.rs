//! Corrections of translations by people.

use end_to_end::{Consultation, Person, World};
use serde_json::{Value, json};

use super::{HEADACHE, is_translation, world};

#[tokio::test(flavor = "multi_thread")]
async fn correction_is_reused_within_the_hospital() {
    for cache_days in ["30", "0"] {
        is_offered_again(&world(&[("TranslationCacheDays", cache_days)]).await).await;
    }
}

async fn is_offered_again(world: &World) {
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    let better = "머리가 지끈거려요.";
    hospital
        .ask(
            "setTranslatedMessage",
            json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": better}),
        )
        .await;
    for (hospital_id, staff, text, source) in
        [("seoul-clinic", "minjun", better, "memory"), ("busan-clinic", "seoyeon", "머리가 아파요.", "deepl")]
    {
        let mut other = world.connect(&Person::user("ren", "蓮", "ja")).await;
        let mut staff = world.connect(&Person::staff(staff, hospital_id, "Staff", "ko")).await;
        other.ask("createRoom", json!({"kind": "consult", "hospital_id": hospital_id})).await;
        let room = format!("consult:ren:{hospital_id}");
        let seq = other.say(&room, HEADACHE).await;
        let event =
            staff.event("translation", |event| event["room_id"] == *room && is_translation(event, seq, "ko")).await;
        assert_eq!(event["translation"]["source"], source, "{event}");
        assert_eq!(event["translation"]["text"], text, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patient_correction_is_not_reused() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    let mine = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "배가 아파요."});
    patient.ask("setTranslatedMessage", mine).await;
    let mut other = world.connect(&Person::user("ren", "蓮", "ja")).await;
    other.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let seq = other.say("consult:ren:seoul-clinic", HEADACHE).await;
    let theirs = |event: &Value| event["room_id"] == "consult:ren:seoul-clinic" && is_translation(event, seq, "ko");
    assert_eq!(hospital.event("translation", theirs).await["translation"]["text"], "머리가 아파요.");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_machine_translation_keeps_correction() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_failure(Some(403));
    let seq = patient.say(&room, HEADACHE).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    world.translator.set_failure(None);
    let asked = world.translator.requests().translate;
    world.translator.hold();
    let retry = json!({"room_id": room, "seq": seq, "language": "ko"});
    let request = patient.post("translateMessage", retry).await;
    world.translator.received(asked + 1).await;
    let better = "머리가 지끈거려요.";
    let correction = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": better});
    hospital.ask("setTranslatedMessage", correction).await;
    world.translator.release();
    let answer = patient.answer(&request).await;
    assert_eq!(answer["translation"]["text"], better, "the requested translation is the correction: {answer}");
    world.settled().await;
    assert_eq!(world.log_of(&room).await[usize::try_from(seq).unwrap() - 1]["translations"]["ko"]["text"], better);
}

#[tokio::test(flavor = "multi_thread")]
async fn correcting_a_correction_requires_its_version() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    let correction = |text: &str| json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": text});
    hospital.ask("setTranslatedMessage", correction("두통이 있어요.")).await;
    hospital.ask("setTranslatedMessage", correction("두통이 있습니다.")).await;
    let refusal = patient.refused("setTranslatedMessage", correction("머리가 아파요."), "conflict").await;
    assert_eq!(refusal["translation"]["text"], "두통이 있습니다.");
    let mut seen = correction("머리가 아파요.");
    seen["version"] = refusal["translation"]["version"].clone();
    let reply = patient.ask("setTranslatedMessage", seen).await;
    assert_eq!(reply["translation"]["version"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_correction_writes_nothing() {
    let world = World::start().await;
    let mut aiko = world.connect(&Person::user("aiko", "愛子", "ja")).await;
    let mut joon = world.connect(&Person::user("joon", "준", "ko")).await;
    let group = json!({"kind": "group", "name": "Recovery", "members": ["user:joon"]});
    let room = aiko.ask("createRoom", group).await["room"]["room_id"].as_str().unwrap().to_owned();
    let seq = aiko.say(&room, HEADACHE).await;
    joon.event("translation", |event| is_translation(event, seq, "ko")).await;
    world.settled().await;
    let before = world.log_of(&room).await;
    let correction = |change: Value| {
        let mut fields = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "두통"});
        fields.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        fields
    };
    for (change, code, said) in [
        (json!({"translated_message": " \n"}), "bad_request", "translated_message"),
        (json!({"translated_message": "가".repeat(7_000)}), "message_too_long", "translated_message"),
        (json!({"seq": 99}), "not_found", "no message"),
        (json!({"seq": 1}), "bad_request", "no text"),
        (json!({"language": "de"}), "not_found", "translateMessage"),
        (json!({"language": "Klingon!"}), "bad_request", "language"),
        (json!({"version": 7}), "conflict", "changed"),
    ] {
        let refusal = aiko.refused("setTranslatedMessage", correction(change), code).await;
        assert!(refusal["message"].as_str().unwrap().contains(said), "{refusal}");
    }
    let refusal = joon.refused("setTranslatedMessage", correction(json!({})), "forbidden").await;
    assert!(refusal["message"].as_str().unwrap().contains("sender"), "{refusal}");
    world.settled().await;
    assert_eq!(world.log_of(&room).await, before);
}
