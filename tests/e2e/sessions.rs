//! Sessions: how they are refreshed, ended, limited and recorded; and tickets.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use end_to_end::{
    Client, Consultation, Credential, Person, TOKEN_SECRET, World, eventually, in_time, seconds_since_the_epoch, sign,
};
use local_gateway::faults::{Delayed, Kind, Latencies, Latency, Plan};
use serde_json::{Value, json};

fn aiko() -> Person {
    testkit::people::patient()
}

/// A token of this person. `issued` and `ends` are seconds from now.
fn token(person: &Person, issued: i64, ends: i64) -> String {
    let at = |offset: i64| seconds_since_the_epoch().saturating_add_signed(offset);
    let mut claims = person.claims();
    claims["iat"] = json!(at(issued));
    claims["exp"] = json!(at(ends));
    sign(&claims, TOKEN_SECRET)
}

/// Sends requests until the session has expired.
async fn outlive(client: &mut Client) {
    let expired = async || client.request("getRoomList", json!({})).await["code"] == "session_expired";
    eventually("the session has expired", expired).await;
}

/// Two connections with one token that expires soon. The first was refreshed and joined a room before and after that,
/// all of it before the token expired.
async fn refreshed_and_other(world: &World) -> (Client, Client) {
    in_time(Duration::from_secs(2), async |lifetime| {
        let end = seconds_since_the_epoch() + lifetime.as_secs();
        let short = aiko().token(TOKEN_SECRET, lifetime);
        let mut refreshed = world.try_connect(&short, Credential::Header).await.ok()?;
        let other = world.try_connect(&short, Credential::Header).await.ok()?;
        let fresh = token(&aiko(), 0, 3_600);
        for (action, fields) in [
            ("joinGroup", json!({"room_id": "open:lobby"})),
            ("refreshSession", json!({"token": fresh})),
            ("joinGroup", json!({"room_id": "open:garden"})),
        ] {
            let answer = refreshed.request(action, fields).await;
            if answer["code"] == "session_expired" || seconds_since_the_epoch() >= end {
                return None;
            }
            assert_eq!(answer["type"], "reply", "{answer}");
            if action == "refreshSession" {
                let until = answer["session_until"].as_u64().unwrap();
                assert!(until > seconds_since_the_epoch() * 1_000 + 1_800_000, "{answer}");
            }
        }
        Some((refreshed, other))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshed_session_outlives_its_first_token() {
    let world = World::start().await;
    let Consultation { room, patient, mut hospital } = world.consultation().await;
    patient.leave().await;
    let (mut refreshed, mut other) = refreshed_and_other(&world).await;
    outlive(&mut other).await;
    for (action, fields) in [
        ("getRoomList", json!({})),
        ("getChatHistory", json!({"room_id": room})),
        ("sync", json!({"rooms": {(room.as_str()): 0}})),
        ("markRead", json!({"room_id": room, "seq": 1})),
        ("sendMessage", json!({"room_id": room, "message": "まだいます"})),
        ("translateMessage", json!({"room_id": room, "seq": 2, "language": "en"})),
        ("setRoomTranslation", json!({"room_id": room, "translation": "on_request"})),
        ("createTicket", json!({})),
    ] {
        refreshed.ask(action, fields).await;
    }
    hospital.say(&room, "네").await;
    refreshed.hears("네").await;
    for open in ["open:lobby", "open:garden"] {
        hospital.ask("joinGroup", json!({"room_id": open})).await;
        hospital.say(open, open).await;
        refreshed.hears(open).await;
    }
    assert_eq!(other.closed().await, Some(1000), "a push to an expired connection closes it");
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_needs_the_same_persons_token() {
    let world = World::start().await;
    let mut client = world.connect(&aiko()).await;
    let staff =
        json!({"sub": "aiko", "user_type": "hospital", "hospital_id": "h9", "exp": seconds_since_the_epoch() + 600});
    for (what, fresh) in [
        ("another person", token(&Person::user("ren", "蓮", "ja"), 0, 600)),
        ("the same person as staff", sign(&staff, TOKEN_SECRET)),
        ("expired", token(&aiko(), -700, -100)),
        (
            "of another issuer",
            sign(
                &json!({"sub": "aiko", "exp": seconds_since_the_epoch() + 600}),
                "another secret of more than 256 bits in all",
            ),
        ),
        ("none", "none".to_owned()),
    ] {
        let refusal = client.refused("refreshSession", json!({"token": fresh}), "forbidden").await;
        assert!(!refusal.to_string().contains(&fresh), "{what}");
    }
    client.refused("refreshSession", json!({}), "bad_request").await;
    client.refused("refreshSession", json!({"token": 5}), "bad_request").await;
    let (mut ended, _) = world.connect_briefly(&aiko()).await;
    outlive(&mut ended).await;
    ended.refused("refreshSession", json!({"token": token(&aiko(), 0, 600)}), "session_expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_closes_connections_and_rejects_older_tokens() {
    let world = World::start().await;
    let mut others = world.connect(&Person::user("ren", "蓮", "ja")).await;
    let old = token(&aiko(), -10, 600);
    let undated = sign(&json!({"sub": "aiko", "exp": seconds_since_the_epoch() + 600}), TOKEN_SECRET);
    let mut phone = world.try_connect(&old, Credential::Header).await.unwrap();
    let mut laptop = world.try_connect(&undated, Credential::Header).await.unwrap();
    let ticket = phone.ask("createTicket", json!({})).await["ticket"].as_str().unwrap().to_owned();
    phone.post("signOutEverywhere", json!({})).await;
    for client in [&mut phone, &mut laptop] {
        client.event("session", |event| event["event"] == "signed_out").await;
        client.closed().await;
    }
    for stale in [&old, &undated] {
        assert_eq!(world.try_connect(stale, Credential::Header).await.expect_err("older").status, 401);
    }
    let shown = format!("{}?ticket={ticket}", world.gateway.websocket_url());
    assert_eq!(Client::connect(&shown, None).await.expect_err("an older ticket").status, 401);
    // `iat` has whole seconds, and the sign-out happened in the present one or earlier.
    let mut again = world.try_connect(&token(&aiko(), 1, 600), Credential::Header).await.unwrap();
    again.refused("refreshSession", json!({"token": old}), "forbidden").await;
    others.ask("getRoomList", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handshake_during_sign_out_is_refused() {
    let world = World::start().await;
    let mut attempts = 0;
    in_time(Duration::from_millis(500), async |delay| {
        attempts += 1;
        let person = Person::user(&format!("aiko-{attempts}"), "愛子", "ja");
        let old = token(&person, -10, 600);
        world.gateway.faults().calm();
        let mut phone = world.try_connect(&old, Credential::Header).await.unwrap();
        let mut plan = Plan::default();
        plan.dynamodb.functions.insert("ConnectFunction".to_owned());
        plan.dynamodb.operations.insert("PutItem".to_owned());
        // Less than the 1.5 s after which the SDK repeats a call.
        let delay_ms = u64::try_from(delay.as_millis()).unwrap().min(1_400);
        plan.dynamodb.slow = Delayed { probability: 1.0, at_most: None, least_ms: delay_ms, most_ms: delay_ms };
        let faults = world.gateway.faults();
        faults.set(plan).expect("a plan that can be followed");
        let slowed = || faults.counts().get(&Kind::DynamoDbSlow).copied().unwrap_or_default();
        let before = slowed();
        let is_signed_out = Cell::new(false);
        let sign_out = async {
            // By then the authorizer has accepted the second connection.
            eventually("the second connection is being recorded", async || slowed() > before).await;
            phone.post("signOutEverywhere", json!({})).await;
            phone.closed().await;
            is_signed_out.set(true);
        };
        let connect = async {
            let laptop = world.try_connect(&old, Credential::Header).await;
            (laptop, is_signed_out.get())
        };
        let ((laptop, signed_out_first), ()) = tokio::join!(connect, sign_out);
        match laptop {
            Err(refusal) => assert_eq!(refusal.status, 403, "the token is older than the sign-out"),
            Ok(mut laptop) => {
                assert!(!signed_out_first, "let in after the sign-out");
                laptop.closed().await;
                return None;
            }
        }
        assert_eq!(ended(&world, &person.user_id).await, 2, "neither is recorded as connected");
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn surplus_connection_closes_the_oldest() {
    let world = World::with(|options| {
        options.parameters.insert("MaxConnections".to_owned(), "2".to_owned());
    })
    .await;
    let mut colleague = world.connect(&Person::staff("seoyeon", "seoul-clinic", "서연", "ko")).await;
    let mut first = world.connect(&testkit::people::coordinator()).await;
    let mut second = world.connect(&testkit::people::coordinator()).await;
    let mut third = world.connect(&testkit::people::coordinator()).await;
    first.event("session", |event| event["event"] == "evicted").await;
    first.closed().await;
    for client in [&mut second, &mut third, &mut colleague] {
        client.ask("getRoomList", json!({})).await;
    }
    second.leave().await;
    world.settled().await;
    // A connection that has ended makes room.
    eventually("the second connection has ended", async || ended(&world, "minjun").await == 2).await;
    world.connect(&testkit::people::coordinator()).await;
    third.ask("getRoomList", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_handshakes_respect_connection_limit() {
    let world = World::with(|options| {
        options.parameters.insert("MaxConnections".to_owned(), "2".to_owned());
    })
    .await;
    let token = world.token(&aiko());
    let attempts = (0..6).map(|_| world.try_connect(&token, Credential::Header));
    let mut open: Vec<Client> = futures::future::join_all(attempts).await.into_iter().flatten().collect();
    eventually("four of the six have ended", async || ended(&world, "aiko").await >= 4).await;
    world.settled().await;
    let mut lasting = 0;
    for client in &mut open {
        // On a closed connection, the closing frame comes before any reply.
        lasting += usize::from(client.lasts().await);
    }
    assert_eq!(lasting, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_connections_count_while_open() {
    let world = World::with(|options| {
        options.parameters.insert("MaxConnections".to_owned(), "1".to_owned());
    })
    .await;
    let (mut old, _) = world.connect_briefly(&aiko()).await;
    outlive(&mut old).await;
    world.connect(&aiko()).await.ask("getRoomList", json!({})).await;
    old.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handshake_at_sign_out_is_closed() {
    let world = World::start().await;
    let old = token(&aiko(), -10, 600);
    let mut phone = world.try_connect(&old, Credential::Header).await.unwrap();
    // DynamoDB reads the session of the second connection at once and answers late.
    let latencies = Latency { p50_ms: 700.0, p99_ms: 700.0, source: "this test".to_owned() };
    let latencies = Latencies { dynamodb: BTreeMap::from([("Query".to_owned(), latencies)]), ..Latencies::default() };
    let looked = || {
        let used = world.gateway.iam().used();
        let queries =
            used.iter().filter(|(grant, _)| grant.function == "ConnectFunction" && grant.action == "dynamodb:Query");
        queries.map(|(_, count)| *count).sum::<u64>()
    };
    let before = looked();
    let plan = Plan { latencies: Some(latencies), ..Plan::default() };
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    let signing_out = async {
        eventually("the second connection has been looked up", async || looked() >= before + 2).await;
        phone.post("signOutEverywhere", json!({})).await;
        phone.closed().await;
    };
    let (laptop, ()) = tokio::join!(world.try_connect(&old, Credential::Header), signing_out);
    if let Ok(mut laptop) = laptop {
        laptop.closed().await;
    }
    eventually("both connections have ended", async || ended(&world, "aiko").await == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frequent_handshakes_get_429() {
    let world = World::with(|options| {
        options.parameters.insert("ConnectsPerMinute".to_owned(), "3".to_owned());
    })
    .await;
    let begun = Instant::now();
    for _ in 0..3 {
        world.connect(&aiko()).await.leave().await;
    }
    world.hold_rate_limits(begun).await;
    assert_eq!(world.try_connect(&world.token(&aiko()), Credential::Header).await.expect_err("a fourth").status, 429);
    world.connect(&testkit::people::coordinator()).await;
}

async fn ended(world: &World, user: &str) -> usize {
    let rows = world.rows("SessionsTable").await;
    rows.iter().filter(|row| row["user_id"] == user && row.get("ended_at").is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_recorded_with_expiry() {
    let world = World::with(|options| {
        options.parameters.insert("SessionAuditDays".to_owned(), "7".to_owned());
    })
    .await;
    let mut headers = tokio_tungstenite::tungstenite::http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", world.token(&aiko())).parse().unwrap());
    headers.insert("user-agent", "clinic-app/3".parse().unwrap());
    let before = seconds_since_the_epoch();
    let client = Client::connect_with_headers(&world.gateway.websocket_url(), headers).await.unwrap();
    client.leave().await;
    eventually("the connection has ended", async || ended(&world, "aiko").await == 1).await;
    let row = world.rows("SessionsTable").await.pop().unwrap();
    assert_eq!((&row["address"], &row["user_agent"]), (&json!("127.0.0.1"), &json!("clinic-app/3")));
    let from = row["connected_at"].as_u64().unwrap();
    let until = row["ended_at"].as_u64().unwrap();
    assert!(from <= until && from / 1_000 >= before - 1, "{row}");
    assert_eq!(row["expires_at"].as_u64().unwrap(), from / 1_000 + 7 * 24 * 60 * 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn ticket_is_accepted_once() {
    let world = World::with(|options| {
        options.parameters.insert("TokenInQuery".to_owned(), "false".to_owned());
    })
    .await;
    let mut staff = world.connect(&testkit::people::coordinator()).await;
    let answer = staff.ask("createTicket", json!({})).await;
    let ticket = answer["ticket"].as_str().unwrap();
    let left = answer["expires_at"].as_u64().unwrap().saturating_sub(seconds_since_the_epoch() * 1_000);
    assert!(left <= Duration::from_secs(31).as_millis().try_into().unwrap(), "{answer}");
    world.prolong_tickets().await;
    let rows: Vec<Value> = world.rows("GuardsTable").await;
    assert!(!json!(rows).to_string().contains(ticket), "the table does not contain the ticket");
    let url = |ticket: &str| format!("{}?ticket={ticket}", world.gateway.websocket_url());
    let mut second = Client::connect(&url(ticket), None).await.unwrap();
    let reply = second.ask("createRoom", json!({"kind": "consult", "user_id": "aiko"})).await;
    assert_eq!(reply["room"]["room_id"], "consult:aiko:seoul-clinic", "as the same member of staff");
    for spent in [ticket, "", "x", &"A".repeat(43), &"A".repeat(3_000)] {
        assert_eq!(Client::connect(&url(spent), None).await.expect_err("spent or invalid").status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_credential_counts() {
    let world = World::start().await;
    let ticket =
        world.connect(&aiko()).await.ask("createTicket", json!({})).await["ticket"].as_str().unwrap().to_owned();
    let good = world.token(&aiko());
    for query in [format!("token={good}"), format!("ticket={ticket}")] {
        let url = format!("{}?{query}", world.gateway.websocket_url());
        let refusal =
            Client::connect(&url, Some(("not.a.token", Credential::Header))).await.expect_err("the header counts");
        assert_eq!(refusal.status, 401);
    }
    let mut headers = tokio_tungstenite::tungstenite::http::HeaderMap::new();
    headers
        .insert("authorization", format!("Bearer {}", world.token(&testkit::people::coordinator())).parse().unwrap());
    headers.insert("sec-websocket-protocol", format!("damso.v1, bearer.{good}").parse().unwrap());
    let mut client = Client::connect_with_headers(&world.gateway.websocket_url(), headers).await.unwrap();
    client.ask("getUsage", json!({})).await;
}
