//! Failed translations are reported, recover as soon as possible, and affect nobody else.

use std::cell::Cell;

use deepl_stub::Fault;
use end_to_end::{Consultation, Person, World, is_count_of};
use local_gateway::LogSink;
use serde_json::{Value, json};

use super::{HEADACHE, is_translation, world};

/// Waits until a function has counted a metric this many times.
async fn counted(world: &World, function: &str, metric: &str, times: usize) {
    let missing = Cell::new(times);
    let logged = world.gateway.logged(|line| {
        if line.function == function && is_count_of(line, metric) {
            missing.set(missing.get() - 1);
        }
        missing.get() == 0
    });
    tokio::time::timeout(end_to_end::DEADLINE, logged).await.expect("the metric is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn exhausted_quota_is_reported_and_recovers() {
    let world = world(&[("QuotaPauseSeconds", "3600")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_failure(Some(456));
    let first = patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    let event = hospital.event("translation", |event| is_translation(event, first, "ko")).await;
    assert_eq!(event["translation"]["reason"], "quota");

    let failed = hospital.ask("getFailedTranslations", json!({})).await;
    assert_eq!(failed["failed"][0]["seq"], first, "{failed}");
    assert_eq!(failed["failed"][0]["reason"], "quota");
    patient.refused("getFailedTranslations", json!({}), "forbidden").await;

    world.translator.set_failure(None);
    let retried = hospital.ask("translateMessage", json!({"room_id": room, "seq": first, "language": "ko"})).await;
    assert_eq!(retried["translation"]["status"], "ok", "a requested translation does not wait for the pause");
    let failed = hospital.ask("getFailedTranslations", json!({})).await;
    assert_eq!(failed["failed"], json!([]));

    // Automatic translation resumes once the pause is over.
    let during = patient.say(&room, "熱もあります").await;
    let event = hospital.event("translation", |event| is_translation(event, during, "ko")).await;
    assert_eq!(event["translation"]["reason"], "quota", "{event}");
    world.end_quota_pause().await;
    let after = patient.say(&room, "昨日からです").await;
    let event = hospital.event("translation", |event| is_translation(event, after, "ko")).await;
    assert_eq!(event["translation"]["status"], "ok", "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exhausted_quota_is_asked_only_once() {
    let world = world(&[("QuotaPauseSeconds", "3600")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_failure(Some(456));
    for text in ["一つ", "二つ", "三つ"] {
        let seq = patient.say(&room, text).await;
        let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
        assert_eq!(event["translation"]["reason"], "quota");
    }
    assert_eq!(world.translator.requests().translate, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn exhausted_quota_is_counted_per_message() {
    let world = World::with(|options| {
        options.log = LogSink::Collect;
        options.parameters.insert("QuotaPauseSeconds".to_owned(), "3600".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_failure(Some(456));
    let mut last = 0;
    for text in ["一つ", "二つ", "三つ"] {
        last = patient.say(&room, text).await;
        hospital.event("translation", |event| is_translation(event, last, "ko")).await;
    }
    assert_eq!(world.translator.requests().translate, 1, "the others failed without a request during the pause");
    let asked = json!({"room_id": room, "seq": last, "language": "ko"});
    hospital.refused("translateMessage", asked, "translation_unavailable").await;
    for metric in ["QuotaUsedUp", "TranslationFailed"] {
        counted(&world, "AutoTranslateFunction", metric, 3).await;
        counted(&world, "TranslateFunction", metric, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_deepl_fails_fast_until_requested() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_fault(Some(Fault::Disconnect));
    let first = patient.say(&room, "一つ").await;
    let second = patient.say(&room, "二つ").await;
    for seq in [first, second] {
        let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
        assert_eq!(event["translation"]["reason"], "unavailable", "{event}");
    }
    assert_eq!(world.translator.requests().translate, 4, "only the first message was tried");
    world.translator.set_fault(None);
    for seq in [first, second] {
        let asked = json!({"room_id": room, "seq": seq, "language": "ko"});
        assert_eq!(hospital.ask("translateMessage", asked).await["translation"]["status"], "ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_by_one_person_spares_others() {
    let world = world(&[("CharactersPerHour", "10")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let first = patient.say(&room, HEADACHE).await;
    let event = hospital.event("translation", |event| is_translation(event, first, "ko")).await;
    assert_eq!(event["translation"]["status"], "ok");
    let over = patient.say(&room, "昨日からです").await;
    let event = hospital.event("translation", |event| is_translation(event, over, "ko")).await;
    assert_eq!(event["translation"]["reason"], "rate_limited", "{event}");
    let buckets = world.rows("GuardsTable").await;
    world.gateway.streams().redeliver_last().await;
    assert_eq!(world.rows("GuardsTable").await, buckets, "a refused translation costs nothing");

    let again = patient.say(&room, HEADACHE).await;
    let event = hospital.event("translation", |event| is_translation(event, again, "ko")).await;
    assert_eq!(event["translation"]["reason"], "rate_limited", "the same text in another context is another sentence");
    let long = hospital.say(&room, "언제부터 아프셨어요?").await;
    let event = patient.event("translation", |event| is_translation(event, long, "ja")).await;
    assert_eq!(event["translation"]["reason"], "rate_limited", "more than a full bucket holds: {event}");
    let seq = hospital.say(&room, "감사합니다").await;
    let event = patient.event("translation", |event| is_translation(event, seq, "ja")).await;
    assert_eq!(event["translation"]["status"], "ok", "{event}");
    assert_eq!(world.translator.requests().translate, 2);
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    let asked = json!({"room_id": room, "seq": over, "language": "ko"});
    assert_eq!(colleague.ask("translateMessage", asked).await["translation"]["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn billed_characters_count_despite_failure() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    // Sixty lines are two requests, and the quota is enough for one.
    world.translator.set_character_limit(320);
    let text = ["昨日から痛い"; 60].join("\n");
    let seq = patient.say(&room, &text).await;
    let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    assert_eq!(event["translation"]["reason"], "quota", "{event}");
    world.settled().await;
    let usage = hospital.ask("getUsage", json!({})).await;
    assert_eq!((&usage["billed_characters"], &usage["failures"]), (&json!(300), &json!(1)), "{usage}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_budget_translation_is_on_request() {
    let world = world(&[("TranslationBudget", "5")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    world.settled().await;
    let over = patient.say(&room, "昨日から熱があります。").await;
    for side in [&mut patient, &mut hospital] {
        side.event("message", |event| event["event"]["name"] == "translation_limited").await;
    }
    patient.say(&room, "薬を飲んでいます。").await;
    world.settled().await;
    assert_eq!(world.translator.requests().translate, 1);
    let told = |rows: Vec<Value>| rows.iter().filter(|row| row["event"]["name"] == "translation_limited").count();
    assert_eq!(told(world.log_of(&room).await), 1);
    let asked = json!({"room_id": room, "seq": over, "language": "ko"});
    assert_eq!(hospital.ask("translateMessage", asked).await["translation"]["status"], "ok");
    assert_eq!(hospital.ask("getUsage", json!({})).await["budget_characters"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn free_tier_key_is_rejected_in_production() {
    let world = World::with(|options| {
        options.secrets.insert("DeepLSecret".to_owned(), "a-key:fx".to_owned());
        options.parameters.insert("Stage".to_owned(), "prod".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = patient.say(&room, HEADACHE).await;
    let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
    assert_eq!(event["translation"]["reason"], "rejected");
    assert_eq!(world.translator.requests().translate, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_with_trailing_newline_works() {
    for (key, stage, reason) in [
        ("a-key\n", "dev", Value::Null),
        ("a-key:fx\n", "prod", json!("rejected")),
        (" \n", "dev", json!("unavailable")),
    ] {
        let world = World::with(|options| {
            options.log = LogSink::Collect;
            options.secrets.insert("DeepLSecret".to_owned(), key.to_owned());
            options.parameters.insert("Stage".to_owned(), stage.to_owned());
        })
        .await;
        let Consultation { room, mut patient, mut hospital } = world.consultation().await;
        let seq = patient.say(&room, HEADACHE).await;
        let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
        assert_eq!(event["translation"]["reason"], reason, "{key:?}: {event}");
        if !reason.is_null() {
            assert_eq!(world.translator.requests().translate, 0);
            counted(&world, "AutoTranslateFunction", "TranslationFailed", 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_translations_are_paged() {
    let world = world(&[("QuotaPauseSeconds", "3600")]).await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.translator.set_failure(Some(456));
    let mut seqs = Vec::new();
    for text in ["一つ", "二つ", "三つ"] {
        seqs.insert(0, patient.say(&room, text).await);
    }
    world.settled().await;
    let mut listed = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = hospital.ask("getFailedTranslations", json!({"limit": 2, "cursor": cursor})).await;
        listed.extend(page["failed"].as_array().unwrap().iter().map(|failed| failed["seq"].as_u64().unwrap()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(listed, seqs);
    let mut others = world.connect(&Person::staff("seoyeon", "busan-clinic", "서연", "ko")).await;
    assert_eq!(others.ask("getFailedTranslations", json!({})).await["failed"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_transient_failures_are_retried() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let faults = [Fault::Status(429), Fault::Status(529), Fault::Disconnect];
    for (text, fault) in ["一つ", "二つ", "三つ"].into_iter().zip(faults) {
        world.translator.fail_next(1, fault);
        let seq = patient.say(&room, text).await;
        let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
        assert_eq!(event["translation"]["status"], "ok", "{fault:?}: {event}");
    }
    assert_eq!(world.translator.requests().translate, 6);
    for (number, (status, reason)) in [(400, "rejected"), (403, "rejected"), (413, "too_long")].into_iter().enumerate()
    {
        world.translator.fail_next(1, Fault::Status(status));
        let seq = patient.say(&room, &format!("もう一つ{number}")).await;
        let event = hospital.event("translation", |event| is_translation(event, seq, "ko")).await;
        assert_eq!(event["translation"]["reason"], reason, "{status}: {event}");
    }
    assert_eq!(world.translator.requests().translate, 9);
}
