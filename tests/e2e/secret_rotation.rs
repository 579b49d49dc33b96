//! The token secret can be rotated at any time: what is signed with the new value is accepted at once, and what was
//! signed with the one before for another day.

use std::time::Duration;

use end_to_end::{Client, Credential, Person, ProxyHeaders, Refusal, TOKEN_SECRET, World};
use serde_json::json;
use tokio_tungstenite::tungstenite::http::HeaderMap;

const SECOND: &str = "the second secret of the tests, which is longer than 256 bits too";
const THIRD: &str = "the third secret of the tests, which is longer than 256 bits too!";

fn token(secret: &str) -> String {
    testkit::people::patient().token(secret, Duration::from_secs(3_600))
}

async fn enter(world: &World, secret: &str) -> Result<Client, Refusal> {
    world.try_connect(&token(secret), Credential::Header).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_refuses_no_valid_token() {
    let world = World::start().await;
    let mut patient = enter(&world, TOKEN_SECRET).await.unwrap();
    patient.ask("refreshSession", json!({"token": token(TOKEN_SECRET)})).await;
    world.gateway.put_secret("TokenSecret", SECOND).unwrap();
    for secret in [SECOND, TOKEN_SECRET, SECOND] {
        enter(&world, secret).await.unwrap();
        patient.ask("refreshSession", json!({"token": token(secret)})).await;
    }
    assert_eq!(enter(&world, THIRD).await.expect_err("never stored").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_rotation_withdraws_the_first_secret() {
    let world = World::start().await;
    enter(&world, TOKEN_SECRET).await.unwrap();
    for secret in [SECOND, THIRD] {
        world.gateway.put_secret("TokenSecret", secret).unwrap();
    }
    for secret in [THIRD, SECOND] {
        enter(&world, secret).await.unwrap();
    }
    assert_eq!(enter(&world, TOKEN_SECRET).await.expect_err("withdrawn").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_outlasts_a_rotation() {
    let world = World::start().await;
    let mut patient = enter(&world, TOKEN_SECRET).await.unwrap();
    patient.post("signOutEverywhere", json!({})).await;
    patient.closed().await;
    world.gateway.put_secret("TokenSecret", SECOND).unwrap();
    let refusal = enter(&world, TOKEN_SECRET).await.expect_err("signed out");
    assert_eq!(refusal.status, 401);
    world
        .try_connect(&Person::user("joon", "준", "ko").token(SECOND, Duration::from_secs(60)), Credential::Header)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_may_sign_with_either_secret() {
    let world = World::with(|options| {
        options.parameters.insert("Credentials".to_owned(), "proxy".to_owned());
    })
    .await;
    let url = world.gateway.websocket_url();
    let connect = |headers: HeaderMap| Client::connect_with_headers(&url, headers);
    // The function is not restarted between these handshakes, so it has cached the first secret.
    let first = ProxyHeaders::of("aiko", "1").signed(TOKEN_SECRET);
    connect(first.clone()).await.unwrap();
    world.gateway.put_secret("TokenSecret", SECOND).unwrap();
    for (nonce, secret) in [("2", SECOND), ("3", TOKEN_SECRET)] {
        connect(ProxyHeaders::of("aiko", nonce).signed(secret)).await.unwrap();
    }
    assert_eq!(connect(first).await.expect_err("replayed").status, 401);
}
