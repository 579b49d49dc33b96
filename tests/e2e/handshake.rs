//! Getting in: three places for a token, and the ways to be refused before a connection exists.

use end_to_end::{Client, Credential, Person, TOKEN_SECRET, World, eventually, seconds_since_the_epoch, sign};
use serde_json::json;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName};

fn aiko() -> Person {
    testkit::people::patient()
}

#[tokio::test(flavor = "multi_thread")]
async fn token_in_header_subprotocol_or_query() {
    let world = World::start().await;
    for credential in [Credential::Header, Credential::Subprotocol, Credential::Query] {
        let mut client = world.try_connect(&world.token(&aiko()), credential).await.unwrap();
        client.ask("getRoomList", json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subprotocol_reply_never_contains_token() {
    let world = World::start().await;
    let client = world.try_connect(&world.token(&aiko()), Credential::Subprotocol).await.unwrap();
    assert_eq!(client.handshake["sec-websocket-protocol"], "damso.v1");
    let client = world.try_connect(&world.token(&aiko()), Credential::Header).await.unwrap();
    assert!(!client.handshake.contains_key("sec-websocket-protocol"), "nothing was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_tokens_get_401() {
    let world = World::start().await;
    let now = seconds_since_the_epoch();
    let tokens = [
        (
            "signed by somebody else",
            sign(&json!({"sub": "aiko", "exp": now + 600}), "another secret that is also long enough for HS256"),
        ),
        ("expired", sign(&json!({"sub": "aiko", "exp": now - 600}), TOKEN_SECRET)),
        ("without an end", sign(&json!({"sub": "aiko"}), TOKEN_SECRET)),
        ("without a person", sign(&json!({"exp": now + 600}), TOKEN_SECRET)),
        ("unsigned", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhaWtvIiwiZXhwIjo5OTk5OTk5OTk5fQ.".to_owned()),
        ("not a token", "hello".to_owned()),
    ];
    for (what, token) in tokens {
        for credential in [Credential::Header, Credential::Subprotocol, Credential::Query] {
            let refusal = world.try_connect(&token, credential).await.expect_err(what);
            assert_eq!(refusal.status, 401, "{what} in {credential:?}");
        }
    }
    let refusal = Client::connect(&world.gateway.websocket_url(), None).await.expect_err("no token");
    assert_eq!(refusal.status, 401);
    assert_eq!(world.rows("ConnectionsTable").await.len(), 0);
    assert_eq!(world.rows("ProfilesTable").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_origins_get_403() {
    let world = World::with(|options| {
        options.parameters.insert("AllowedOrigins".to_owned(), "https://clinic.example".to_owned());
    })
    .await;
    let url = world.gateway.websocket_url();
    let connect = |origin: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", world.token(&aiko())).parse().unwrap());
        headers.insert("origin", origin.parse().unwrap());
        Client::connect_with_headers(&url, headers)
    };
    for origin in ["https://evil.example", "https://clinic.example.evil.example", "http://clinic.example", "null"] {
        assert_eq!(connect(origin).await.expect_err(origin).status, 403, "{origin}");
    }
    connect("https://clinic.example").await.unwrap();
    world.connect(&aiko()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn query_tokens_can_be_disabled() {
    let world = World::with(|options| {
        options.parameters.insert("TokenInQuery".to_owned(), "false".to_owned());
    })
    .await;
    let refusal = world.try_connect(&world.token(&aiko()), Credential::Query).await.expect_err("off");
    assert_eq!(refusal.status, 401);
    world.try_connect(&world.token(&aiko()), Credential::Header).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn claim_names_are_configurable() {
    let world = World::with(|options| {
        let hospital = json!({"by": "claims", "user_type": "custom:type", "hospital_id": "custom:hospital"});
        let issuers = json!([{"claims": {"language": "locale"}, "hospital": hospital}]);
        options.parameters.insert("TokenIssuers".to_owned(), issuers.to_string());
    })
    .await;
    let exp = seconds_since_the_epoch() + 600;
    let claims = json!({
        "sub": "minjun", "custom:type": "hospital", "custom:hospital": "seoul-clinic", "locale": "ko", "exp": exp,
    });
    let mut staff = world.try_connect(&sign(&claims, TOKEN_SECRET), Credential::Header).await.unwrap();
    let reply = staff.ask("createRoom", json!({"kind": "consult", "user_id": "aiko"})).await;
    assert_eq!(reply["room"]["room_id"], "consult:aiko:seoul-clinic");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_in_query_or_headers_are_ignored() {
    let world = World::start().await;
    let claims = [
        ("user_type", "hospital"),
        ("hospital_id", "seoul-clinic"),
        ("participant", "hospital:seoul-clinic"),
        ("user_id", "minjun"),
    ];
    let query: Vec<_> = claims.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let url = format!("{}?{}", world.gateway.websocket_url(), query.join("&"));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", world.token(&aiko())).parse().unwrap());
    for (name, value) in claims {
        for spelling in [name.replace('_', "-"), format!("x-{}", name.replace('_', "-"))] {
            headers.insert(HeaderName::from_bytes(spelling.as_bytes()).unwrap(), value.parse().unwrap());
        }
    }
    headers.insert("x-damso-user-type", "hospital".parse().unwrap());
    let mut client = Client::connect_with_headers(&url, headers).await.unwrap();
    client.refused("getUsage", json!({}), "forbidden").await;
    let rows = world.rows("ConnectionsTable").await;
    assert_eq!((&rows[0]["participant"], &rows[0]["user_id"]), (&json!("user:aiko"), &json!("aiko")));
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_staff_claims_are_refused() {
    let world = World::start().await;
    let exp = seconds_since_the_epoch() + 600;
    for claims in [
        json!({"sub": "minjun", "user_type": "hospital", "exp": exp}),
        json!({"sub": "minjun", "user_type": "admin", "exp": exp}),
        json!({"sub": "x".repeat(65), "exp": exp}),
    ] {
        let refusal = world.try_connect(&sign(&claims, TOKEN_SECRET), Credential::Header).await.expect_err("refused");
        assert!(matches!(refusal.status, 401 | 403), "{claims} was refused with {}", refusal.status);
    }
    assert_eq!(world.rows("ConnectionsTable").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_removes_the_rows() {
    let world = World::start().await;
    let mut client = world.connect(&aiko()).await;
    client.ask("joinGroup", json!({"groupId": "lobby"})).await;
    let rows = world.rows("ConnectionsTable").await;
    let audiences: Vec<_> = rows.iter().map(|row| row["audience"].as_str().unwrap()).collect();
    assert!(audiences.contains(&"user:aiko") && audiences.contains(&"open:lobby"), "{audiences:?}");
    client.leave().await;
    // The gateway calls `$disconnect` after it has closed the socket.
    eventually("the connection's rows are removed", async || {
        world.rows("ConnectionsTable").await.iter().all(|row| row["audience"] != "user:aiko")
    })
    .await;
}
