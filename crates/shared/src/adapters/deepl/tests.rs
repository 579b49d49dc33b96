use serde_json::json;

use super::*;
use crate::adapters::secrets::tests::{secret_in, secret_response};
use crate::http_stub::HttpStub;

/// A DeepL that knows the key `new` only, and a Secrets Manager that has `stored`.
async fn deepl(stored: &str) -> (HttpStub, HttpStub, DeepL) {
    let [service, manager] = [HttpStub::start().await, HttpStub::start().await];
    service.respond_with(403, "", "{}");
    let translation = json!({"translations": [{"text": "두통이 있어요.", "billed_characters": 9}]});
    service.respond_to("DeepL-Auth-Key new", 200, &translation.to_string());
    manager.respond_with(200, "", &secret_response(stored));
    let clock = Clock::manual(Timestamp::from_seconds(1_795_000_000));
    let deepl = DeepL::new(DeepLConfig::for_tests(service.url()), secret_in(&manager, clock), clock);
    (service, manager, deepl)
}

async fn translate(deepl: &DeepL) -> Result<String, FailureReason> {
    let target = "ko".parse().expect("a language");
    let request = Request {
        texts: &["頭が痛いです。"],
        source: None,
        target: &target,
        context: "",
        timeout: Duration::from_secs(60),
    };
    let result = deepl.translate(request).await.pop().expect("a result for the text");
    result.map(|translated| translated.text).map_err(|failure| failure.reason)
}

#[tokio::test]
async fn replaced_key_is_used_at_once() {
    for (before, reason) in [
        ("old", FailureReason::Rejected),
        (" \n", FailureReason::Unavailable),
        ("not-for-patients:fx", FailureReason::Rejected),
    ] {
        let (_service, manager, deepl) = deepl(before).await;
        assert_eq!(translate(&deepl).await, Err(reason), "{before}");
        manager.respond_with(200, "", &secret_response("new\n"));
        deepl.clock.advance(Duration::from_secs(5));
        assert_eq!(translate(&deepl).await.as_deref(), Ok("두통이 있어요."), "{before}");
    }
}

#[tokio::test]
async fn source_language_is_sent_where_it_helps() {
    let (service, _manager, deepl) = deepl("new").await;
    let answer = |text: &str| json!({"translations": [{"text": text}]}).to_string();
    service.respond_with(200, "", &answer("detected"));
    // Matched in alphabetical order.
    service.respond_to("DeepL-Auth-Key new", 200, &answer("detected"));
    service.respond_to("\"source_lang\":\"JA\"", 200, &answer("declared"));
    let [japanese, english] = ["ja", "en"].map(|tag| tag.parse().expect("a language"));
    for (texts, sent) in [
        (&["昨日からずっと頭が痛くて、熱もあります。", "手術"][..], &["detected", "declared"][..]),
        (&["Please wait"], &["detected"]),
        (&["はい"], &["declared"]),
    ] {
        let timeout = Duration::from_secs(60);
        let request = Request { texts, source: Some(&japanese), target: &english, context: "", timeout };
        let translated = deepl.translate(request).await.into_iter().map(|result| result.ok().map(|one| one.text));
        assert_eq!(translated.map(Option::unwrap_or_default).collect::<Vec<_>>(), sent, "{texts:?}");
    }
}
