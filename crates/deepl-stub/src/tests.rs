//! The stub as a client of DeepL sees it.

use super::*;

async fn send(stub: &DeepLStub, body: &Value) -> Result<(u16, Value), reqwest::Error> {
    let request = reqwest::Client::new()
        .post(format!("{}/v2/translate", stub.url()))
        .header("authorization", "DeepL-Auth-Key key:fx")
        .json(body);
    let answer = request.send().await?;
    assert!(answer.headers().contains_key("x-trace-id"));
    Ok((answer.status().as_u16(), answer.json().await?))
}

async fn get(stub: &DeepLStub, path: &str, authorization: &str) -> (u16, Value) {
    let request = reqwest::Client::new().get(format!("{}{path}", stub.url()));
    let answer = request.header("authorization", authorization).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn texts(answer: &Value) -> Vec<&str> {
    answer["translations"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn unknown_sentences_are_marked_untranslated() {
    let stub = DeepLStub::start().await.unwrap();
    let body = json!({
        "text": ["頭が痛いです。", "これは本にない文です。", "감사합니다", ""],
        "target_lang": "KO",
        "context": "earlier messages",
        "show_billed_characters": true,
    });
    let (status, answer) = send(&stub, &body).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(texts(&answer), ["머리가 아파요.", "[untranslated ja→ko] これは本にない文です。", "감사합니다", ""]);
    assert_eq!(answer["translations"][0]["detected_source_language"], "JA");
    assert_eq!(answer["translations"][0]["billed_characters"], 7);
    assert_eq!(answer["translations"][2]["detected_source_language"], "KO");
    let counts = stub.requests();
    assert_eq!((counts.translate, counts.texts, counts.billed_characters, counts.rejected), (1, 4, 23, 0));
    assert_eq!(stub.bodies(), [body]);
    let (_, usage) = get(&stub, "/v2/usage", "DeepL-Auth-Key key").await;
    assert_eq!(usage["character_count"], 23);
}

#[tokio::test]
async fn source_language_and_billing_are_optional() {
    let stub = DeepLStub::start().await.unwrap();
    let body = json!({ "text": ["No"], "source_lang": "en", "target_lang": "zh-hans", "formality": "prefer_more" });
    let (_, answer) = send(&stub, &body).await.unwrap();
    assert_eq!(answer, json!({ "translations": [{ "detected_source_language": "EN", "text": "不是" }] }));
}

#[tokio::test]
async fn requests_need_an_auth_key() {
    let stub = DeepLStub::start().await.unwrap();
    for authorization in ["", "Bearer key", "DeepL-Auth-Key ", "key"] {
        assert_eq!(get(&stub, "/v2/usage", authorization).await.0, 403, "{authorization:?}");
    }
    assert_eq!(get(&stub, "/v2/usage", "DeepL-Auth-Key key").await.0, 200);
}

#[tokio::test]
async fn languages_are_listed_other_paths_404() {
    let stub = DeepLStub::start().await.unwrap();
    let key = "DeepL-Auth-Key key";
    let (_, targets) = get(&stub, "/v2/languages?type=target", key).await;
    let german = json!({ "language": "DE", "name": "German", "supports_formality": true });
    assert!(targets.as_array().unwrap().contains(&german));
    let (_, sources) = get(&stub, "/v2/languages", key).await;
    assert!(sources.as_array().unwrap().contains(&json!({ "language": "KO", "name": "Korean" })));
    assert_eq!(get(&stub, "/v2/languages?type=all", key).await.0, 400);
    assert_eq!(get(&stub, "/v2/nothing", key).await.0, 404);
    assert_eq!(get(&stub, "/v2/translate", key).await.0, 405);
}

#[tokio::test]
async fn invalid_requests_are_rejected_as_by_deepl() {
    let stub = DeepLStub::start().await.unwrap();
    let with = |more: Value| {
        let mut body = json!({ "text": ["네"], "target_lang": "EN-US" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, status, expected) in [
        (json!([]), 400, "Bad request"),
        (json!({ "text": "네", "target_lang": "JA" }), 400, "Bad request"),
        (json!({ "text": ["네"] }), 400, "target_lang"),
        (with(json!({ "text": [] })), 400, "'text'"),
        (with(json!({ "text": vec!["네"; 51] })), 400, "Too many texts"),
        (with(json!({ "target_lang": "EN-AU" })), 400, "Value for 'target_lang' not supported."),
        (with(json!({ "source_lang": "EN-US" })), 400, "Value for 'source_lang' not supported."),
        (with(json!({ "glossary_id": "g" })), 400, "'source_lang' is required"),
        (with(json!({ "formality": "more" })), 400, "'formality' is not supported"),
        (with(json!({ "formality": "polite" })), 400, "'formality'"),
        (with(json!({ "custom_instructions": ["x".repeat(301)] })), 400, "300 characters"),
        (with(json!({ "custom_instructions": vec!["x"; 11] })), 400, "10 custom instructions"),
        (with(json!({ "text": ["x".repeat(131_072)] })), 413, "Too Large"),
    ] {
        let (answered, answer) = send(&stub, &body).await.unwrap();
        assert_eq!(answered, status, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(expected), "{answer}");
    }
    for body in [
        with(json!({ "text": vec!["네"; 50] })),
        with(json!({ "target_lang": "PT" })),
        with(json!({ "glossary_id": "g", "source_lang": "KO" })),
        with(json!({ "formality": "more", "target_lang": "DE" })),
    ] {
        assert_eq!(send(&stub, &body).await.unwrap().0, 200, "{body}");
    }
}

#[tokio::test]
async fn failures_follow_the_settings() {
    let stub = DeepLStub::start().await.unwrap();
    let body = json!({ "text": ["네"], "target_lang": "JA" });
    stub.set_failure(Some(456));
    assert_eq!(send(&stub, &body).await.unwrap(), (456, json!({ "message": "Quota Exceeded" })));
    stub.fail_next(1, Fault::Disconnect);
    stub.fail_next(1, Fault::Delay(Duration::from_millis(1)));
    assert!(send(&stub, &body).await.is_err());
    assert_eq!(send(&stub, &body).await.unwrap().0, 200);
    assert_eq!(send(&stub, &body).await.unwrap().0, 456);
    stub.set_failure(None);
    assert_eq!(send(&stub, &body).await.unwrap().0, 200);
    let counts = stub.requests();
    assert_eq!((counts.translate, counts.rejected, counts.billed_characters), (5, 3, 2));
    stub.set_character_limit(2);
    assert_eq!(send(&stub, &body).await.unwrap().0, 456);
}

#[tokio::test]
async fn release_answers_held_requests() {
    let stub = DeepLStub::start().await.unwrap();
    stub.hold();
    let body = json!({ "text": ["네"], "target_lang": "JA" });
    let answer = send(&stub, &body);
    tokio::pin!(answer);
    while stub.bodies().is_empty() {
        tokio::select! {
            _ = &mut answer => panic!("the request was on hold"),
            () = tokio::task::yield_now() => {}
        }
    }
    stub.release();
    assert_eq!(texts(&answer.await.unwrap().1), ["はい"]);
}
