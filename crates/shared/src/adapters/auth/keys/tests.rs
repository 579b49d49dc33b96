use serde_json::{Value, json};

use super::*;
use crate::http_stub::HttpStub;

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
/// Longer than any test takes.
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

/// A JWKS document with these key ids. Any 32 bytes are a well-formed Ed25519 key.
fn published(ids: &[&str]) -> Value {
    let key = |id: &&str| json!({"kid": id, "kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
    json!({"keys": ids.iter().map(key).collect::<Vec<_>>()})
}

/// An issuer that publishes these keys, and the key set that fetched them.
async fn issuer(ids: &[&str]) -> (HttpStub, KeySet) {
    let issuer = HttpStub::start().await;
    issuer.respond_with(200, "", &published(ids).to_string());
    let keys = KeySet::open(issuer.url(), Clock::manual(NOW)).await;
    assert_eq!(issuer.request_count(), 1, "at the start");
    (issuer, keys)
}

fn is_unknown(found: &Result<DecodingKey, TokenError>) -> bool {
    matches!(found, Err(TokenError::Unauthorized("issuer has no such key")))
}

#[tokio::test]
async fn withdrawn_key_expires_after_five_minutes() {
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
async fn unknown_key_triggers_a_fetch_every_ten_seconds() {
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
async fn last_good_keys_survive_failed_fetches() {
    let (issuer, keys) = issuer(&["first"]).await;
    for (number, (status, body)) in (2..).zip([(500, "{}"), (404, "{}"), (200, "<html>"), (200, "{}")]) {
        issuer.respond_with(status, "", body);
        keys.clock.advance(KeySet::REFRESH_INTERVAL);
        assert!(keys.find("first").await.is_ok(), "{status} {body}");
        assert_eq!(issuer.request_count(), number, "{status} {body}");
    }
}

#[tokio::test]
async fn missing_keys_are_fetched_again_after_ten_seconds() {
    let issuer = HttpStub::start().await;
    issuer.respond_with(503, "", "");
    let keys = KeySet::open(issuer.url(), Clock::manual(NOW)).await;
    issuer.respond_with(200, "", &published(&["first"]).to_string());
    assert!(matches!(keys.find("first").await, Err(TokenError::Keys(_))));
    assert_eq!(issuer.request_count(), 1);
    keys.clock.advance(KeySet::RETRY_INTERVAL);
    assert!(keys.find("first").await.is_ok());
}

#[tokio::test]
async fn key_set_is_limited_to_256_kb() {
    let issuer = HttpStub::start().await;
    let keys = KeySet::new(issuer.url(), Clock::manual(NOW), LONG_TIMEOUT);
    let set = published(&["first"]).to_string();
    let padded = |to: usize| format!("{set}{}", " ".repeat(to - set.len()));
    issuer.respond_with(200, "", &padded(256 * 1024));
    assert_eq!(keys.fetch().await.expect("exactly at the limit").keys.len(), 1);
    issuer.respond_with(200, "", &padded(256 * 1024 + 1));
    let error = keys.fetch().await.expect_err("too large");
    assert_eq!(error.to_string(), "the key set is larger than 256 KB");
}

#[tokio::test]
async fn fetch_times_out() {
    assert_eq!(KeySet::TIMEOUT, Duration::from_secs(3), "Lambda allows ten seconds for INIT");
    let issuer = HttpStub::start().await;
    issuer.hang();
    let keys = KeySet::new(issuer.url(), Clock::manual(NOW), Duration::from_millis(1));
    let error = keys.fetch().await.expect_err("no answer");
    assert!(error.downcast_ref().is_some_and(reqwest::Error::is_timeout), "{error:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let issuer = HttpStub::start().await;
    let other = HttpStub::start().await;
    other.respond_with(200, "", &published(&["first"]).to_string());
    let keys = KeySet::new(issuer.url(), Clock::manual(NOW), LONG_TIMEOUT);
    for status in [301, 302, 303, 307, 308] {
        issuer.respond_with(status, &format!("location: {}\r\n", other.url()), &published(&["first"]).to_string());
        let error = keys.fetch().await.expect_err("a redirect");
        assert_eq!(error.to_string(), "the issuer answered with a redirect; configure the final URL", "{status}");
    }
    assert_eq!(issuer.request_count(), 5);
    assert_eq!(other.request_count(), 0);
}
