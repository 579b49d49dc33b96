use serde_json::{Value, json};

use super::*;
use crate::http_stub::HttpStub;

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
/// No test waits so long: an answer that is not made to fail comes at once.
const PATIENT: Duration = Duration::from_secs(60);

/// What an issuer publishes of these keys; any 32 bytes make an Ed25519 key that can be read.
fn published(ids: &[&str]) -> Value {
    let key = |id: &&str| json!({"kid": id, "kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
    json!({"keys": ids.iter().map(key).collect::<Vec<_>>()})
}

/// An issuer that publishes these keys, and who holds them.
async fn issuer(ids: &[&str]) -> (HttpStub, KeySet) {
    let issuer = HttpStub::start().await;
    issuer.respond_with(200, "", &published(ids).to_string());
    let keys = KeySet::open(issuer.url(), Clock::manual(NOW)).await;
    assert_eq!(issuer.request_count(), 1, "at the start");
    (issuer, keys)
}

fn is_unknown(found: &Result<DecodingKey, TokenError>) -> bool {
    matches!(found, Err(TokenError::Unauthorized("the issuer has no such key")))
}

#[tokio::test]
async fn known_keys_are_fetched_again_every_five_minutes_so_that_a_withdrawn_one_is_not_taken_for_long() {
    let (issuer, keys) = issuer(&["old"]).await;
    issuer.respond_with(200, "", &published(&["new"]).to_string());
    keys.clock.advance(Duration::from_millis(299_999));
    assert!(keys.find("old").await.is_ok());
    assert_eq!(issuer.request_count(), 1);
    keys.clock.advance(Duration::from_millis(1));
    assert!(is_unknown(&keys.find("old").await));
    assert!(keys.find("new").await.is_ok());
    assert_eq!(issuer.request_count(), 2);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_at_most_once_in_ten_seconds() {
    let (issuer, keys) = issuer(&["first"]).await;
    issuer.respond_with(200, "", &published(&["first", "second"]).to_string());
    keys.clock.advance(Duration::from_millis(9_999));
    assert!(is_unknown(&keys.find("second").await));
    assert_eq!(issuer.request_count(), 1);
    keys.clock.advance(Duration::from_millis(1));
    assert!(keys.find("second").await.is_ok());
    for unknown in ["a", "b", "c"] {
        assert!(is_unknown(&keys.find(unknown).await));
    }
    assert_eq!(issuer.request_count(), 2);
}

#[tokio::test]
async fn the_last_good_keys_are_kept_while_the_issuer_gives_none() {
    let (issuer, keys) = issuer(&["first"]).await;
    for (number, (status, body)) in (2..).zip([(500, "{}"), (404, "{}"), (200, "<html>"), (200, "{}")]) {
        issuer.respond_with(status, "", body);
        keys.clock.advance(KeySet::KEPT);
        assert!(keys.find("first").await.is_ok(), "{status} {body}");
        assert_eq!(issuer.request_count(), number, "{status} {body}");
    }
}

#[tokio::test]
async fn without_any_keys_it_is_nobodys_fault_and_they_are_asked_for_again_after_ten_seconds() {
    let issuer = HttpStub::start().await;
    issuer.respond_with(503, "", "");
    let keys = KeySet::open(issuer.url(), Clock::manual(NOW)).await;
    issuer.respond_with(200, "", &published(&["first"]).to_string());
    assert!(matches!(keys.find("first").await, Err(TokenError::Keys(_))));
    assert_eq!(issuer.request_count(), 1);
    keys.clock.advance(KeySet::REST);
    assert!(keys.find("first").await.is_ok());
}

#[tokio::test]
async fn a_key_set_of_more_than_256_kb_is_none() {
    let issuer = HttpStub::start().await;
    let keys = KeySet::unopened(issuer.url(), Clock::manual(NOW), PATIENT);
    let set = published(&["first"]).to_string();
    let padded = |to: usize| format!("{set}{}", " ".repeat(to - set.len()));
    issuer.respond_with(200, "", &padded(256 * 1024));
    assert_eq!(keys.fetch().await.expect("as large as may be").keys.len(), 1);
    issuer.respond_with(200, "", &padded(256 * 1024 + 1));
    let error = keys.fetch().await.expect_err("too large");
    assert_eq!(error.to_string(), "the key set is larger than 256 KB");
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for_beyond_the_limit() {
    assert_eq!(KeySet::TIMEOUT, Duration::from_secs(3), "of the ten that Lambda gives INIT");
    let issuer = HttpStub::start().await;
    issuer.hang();
    let keys = KeySet::unopened(issuer.url(), Clock::manual(NOW), Duration::from_millis(1));
    let error = keys.fetch().await.expect_err("no answer");
    assert!(error.downcast_ref().is_some_and(reqwest::Error::is_timeout), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_a_failed_fetch_and_is_not_followed() {
    let (issuer, other) = (HttpStub::start().await, HttpStub::start().await);
    other.respond_with(200, "", &published(&["first"]).to_string());
    let keys = KeySet::unopened(issuer.url(), Clock::manual(NOW), PATIENT);
    for status in [301, 302, 303, 307, 308] {
        issuer.respond_with(status, &format!("location: {}\r\n", other.url()), &published(&["first"]).to_string());
        let error = keys.fetch().await.expect_err("a redirect");
        assert_eq!(error.to_string(), "the issuer answers with a redirect, which is not followed", "{status}");
    }
    assert_eq!((issuer.request_count(), other.request_count()), (5, 0));
}
