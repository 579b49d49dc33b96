//! A trusted proxy that has authenticated the user and says so in signed headers.

use end_to_end::{Client, Credential, ProxyHeaders, Refusal, TOKEN_SECRET, World, seconds_since_the_epoch};
use serde_json::json;
use tokio_tungstenite::tungstenite::http::HeaderMap;

async fn world() -> World {
    World::with(|options| {
        options.parameters.insert("Credentials".to_owned(), "proxy".to_owned());
    })
    .await
}

async fn connect(world: &World, headers: HeaderMap) -> Result<Client, Refusal> {
    Client::connect_with_headers(&world.gateway.websocket_url(), headers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_headers_identify_the_user() {
    let world = world().await;
    let patient = ProxyHeaders::of("aiko", "1").with("name", "%E6%84%9B%E5%AD%90").with("language", "ja");
    let mut patient = connect(&world, patient.signed(TOKEN_SECRET)).await.unwrap();
    let staff = ProxyHeaders::of("minjun", "2").with("user-type", "hospital").with("hospital", "seoul-clinic");
    let staff = staff.with("name", "%EB%AF%BC%EC%A4%80").with("language", "ko");
    let mut staff = connect(&world, staff.signed(TOKEN_SECRET)).await.unwrap();
    let room = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    let room = room["room"]["room_id"].as_str().unwrap().to_owned();
    patient.say(&room, "頭が痛いです。").await;
    assert_eq!(staff.hears("頭が痛いです。").await["sender"]["name"], "愛子");
    staff.say(&room, "언제부터 아프셨어요?").await;
    assert_eq!(patient.hears("언제부터 아프셨어요?").await["sender"]["name"], "민준");
    staff.refused("refreshSession", json!({"token": "any"}), "forbidden").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_unavailable_behind_a_proxy() {
    let world = world().await;
    let mut patient = connect(&world, ProxyHeaders::of("aiko", "1").signed(TOKEN_SECRET)).await.unwrap();
    let refusal = patient.refused("createTicket", json!({}), "forbidden").await;
    assert_eq!(refusal["message"], "tickets are not accepted behind a proxy; connect through it instead");
    let guards = world.rows("GuardsTable").await;
    assert!(guards.iter().all(|row| !row["guard_key"].as_str().unwrap().starts_with("ticket:")), "{guards:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_headers_are_accepted_once_unaltered() {
    let world = world().await;
    let good = ProxyHeaders::of("aiko", "1");
    let signed = good.signed(TOKEN_SECRET);
    connect(&world, signed.clone()).await.unwrap();
    let now = seconds_since_the_epoch();
    let old = now - 120;
    let changed = |name: &str, value: &str| {
        let mut headers = ProxyHeaders::of("aiko", "changed").signed(TOKEN_SECRET);
        headers.insert(ProxyHeaders::header(name), value.parse().unwrap());
        headers
    };
    let mut twice = ProxyHeaders::of("aiko", "twice").signed(TOKEN_SECRET);
    twice.append(ProxyHeaders::header("user"), "minjun".parse().unwrap());
    let mut moved = ProxyHeaders::of("aiko", "moved").with("user-type", "user").signed(TOKEN_SECRET);
    let user_type = moved.remove(ProxyHeaders::header("user-type")).unwrap();
    moved.insert(ProxyHeaders::header("hospital"), user_type);
    for (what, headers) in [
        ("replayed", signed),
        ("unsigned", good.headers()),
        (
            "signed with another key",
            ProxyHeaders::of("aiko", "2").signed("another key of more than 256 bits, as it should be"),
        ),
        ("another user", changed("user", "minjun")),
        ("a role that was not signed", changed("user-type", "hospital")),
        ("a name that was not signed", changed("name", "Minjun")),
        ("a later end", changed("until", &(now + 9_999).to_string())),
        ("a value under another header", moved),
        ("a header twice", twice),
        ("too old", ProxyHeaders::of("aiko", "3").with("timestamp", &old.to_string()).signed(TOKEN_SECRET)),
        (
            "from the future",
            ProxyHeaders::of("aiko", "4").with("timestamp", &(now + 120).to_string()).signed(TOKEN_SECRET),
        ),
        ("without a timestamp", ProxyHeaders::of("aiko", "5").without("timestamp").signed(TOKEN_SECRET)),
        ("without a nonce", ProxyHeaders::of("aiko", "6").without("nonce").signed(TOKEN_SECRET)),
        ("without an end", ProxyHeaders::of("aiko", "7").without("until").signed(TOKEN_SECRET)),
        ("without a user", ProxyHeaders::of("aiko", "8").without("user").signed(TOKEN_SECRET)),
        ("no UTF-8", ProxyHeaders::of("aiko", "9").with("name", "%FF").signed(TOKEN_SECRET)),
    ] {
        assert_eq!(connect(&world, headers).await.expect_err(what).status, 401, "{what}");
    }
    // A token or a query string does not help either.
    let token = world.token(&testkit::people::patient());
    assert_eq!(world.try_connect(&token, Credential::Header).await.expect_err("a token").status, 401);
    let url = format!("{}?user=aiko&x-damso-user=aiko", world.gateway.websocket_url());
    assert_eq!(Client::connect(&url, None).await.expect_err("a query string").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_headers_are_ignored_without_proxy_mode() {
    let world = World::start().await;
    let refusal = connect(&world, ProxyHeaders::of("aiko", "1").signed(TOKEN_SECRET)).await.expect_err("no token");
    assert_eq!(refusal.status, 401);
}
