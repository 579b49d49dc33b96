//! Regressions of the group chat with stream fan-out that Damso grew from: its failures do not recur, and its promises
//! still hold.

use std::time::Duration;

use end_to_end::{Client, Credential, Person, Row, World, in_time, is_count_of};
use futures::{SinkExt, StreamExt};
use local_gateway::LogLine;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

const GROUP: &str = "open:breast-cancer-support";

async fn joined(world: &World, person: &Person) -> Client {
    let mut client = world.connect(person).await;
    client.ask("joinGroup", json!({"groupId": "breast-cancer-support"})).await;
    client
}

fn aiko() -> Person {
    Person::user("aiko", "愛子", "ja")
}

fn joon() -> Person {
    Person::user("joon", "준", "ko")
}

#[tokio::test(flavor = "multi_thread")]
async fn message_without_room_goes_to_joined_group() {
    let world = World::start().await;
    let mut aiko = world.connect(&aiko()).await;
    aiko.send(r#"{"action":"joinGroup","groupId":"breast-cancer-support"}"#).await;
    aiko.frame("the room", |frame| frame["room"]["room_id"] == GROUP).await;
    let mut joon = joined(&world, &joon()).await;
    aiko.send(r#"{"action":"sendMessage","message":"こんにちは"}"#).await;
    let reply = aiko.frame("the reply", |frame| frame["action"] == "sendMessage").await;
    assert_eq!(reply["room_id"], GROUP, "{reply}");
    let heard = joon.hears("こんにちは").await;
    assert_eq!(heard["room_id"], GROUP);
}

#[tokio::test(flavor = "multi_thread")]
async fn message_is_stored_before_stream_pushes_it() {
    // The express lane would deliver the message before the stream is read.
    let world = World::with(|stack| {
        stack.parameters.insert("ExpressLimit".to_owned(), "0".to_owned());
    })
    .await;
    let mut aiko = joined(&world, &aiko()).await;
    let mut joon = joined(&world, &joon()).await;
    world.settled().await;
    joon.rest().await;
    world.gateway.streams().pause();
    let seq = aiko.say(GROUP, "こんにちは").await;
    let stored = world.log_of(GROUP).await;
    assert_eq!(stored.last().unwrap()["message"], "こんにちは");
    assert_eq!(joon.rest().await, Vec::<Value>::new(), "only the stream pushes");
    world.gateway.streams().resume();
    assert_eq!(joon.hears("こんにちは").await["seq"], seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_get_401() {
    let world = World::start().await;
    let forged = testkit::people::sign(
        &json!({"sub": "aiko", "exp": 4_102_444_800_u64}),
        "not the issuer's secret, but long enough to sign",
    );
    assert_eq!(world.try_connect(&forged, Credential::Header).await.expect_err("forged").status, 401);
    assert_eq!(Client::connect(&world.gateway.websocket_url(), None).await.expect_err("none").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_joins_many_groups() {
    let world = World::start().await;
    let mut aiko = joined(&world, &aiko()).await;
    aiko.ask("joinGroup", json!({"groupId": "recovery"})).await;
    let mut joon = joined(&world, &joon()).await;
    joon.ask("joinGroup", json!({"groupId": "recovery"})).await;
    for group in [GROUP, "open:recovery"] {
        aiko.say(group, group).await;
        let heard = joon.hears(group).await;
        assert_eq!(heard["room_id"], group, "a push names its group");
    }
    let unnamed = aiko.ask("sendMessage", json!({"message": "?"})).await;
    assert_eq!(unnamed["room_id"], "open:recovery", "the default is the group that was joined last");
    let mut newcomer = world.connect(&Person::user("emma", "Emma", "en")).await;
    newcomer.refused("sendMessage", json!({"message": "?"}), "bad_request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_joiners_read_the_history() {
    let world = World::start().await;
    let mut aiko = joined(&world, &aiko()).await;
    for text in ["一", "二", "三"] {
        aiko.say(GROUP, text).await;
    }
    let mut joon = joined(&world, &joon()).await;
    let history = joon.ask("getChatHistory", json!({"room_id": GROUP})).await;
    let texts: Vec<_> = history["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["kind"] == "text")
        .map(|message| message["message"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["一", "二", "三"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_name_type_and_room() {
    let world = World::start().await;
    let mut aiko = joined(&world, &aiko()).await;
    let mut joon = joined(&world, &joon()).await;
    let seq = aiko.say(GROUP, "こんにちは").await;
    let heard = joon.hears("こんにちは").await;
    assert_eq!(heard["type"], "message");
    assert_eq!(heard["room_id"], GROUP);
    assert_eq!(heard["seq"], seq);
    assert_eq!(heard["sender"]["name"], "愛子");
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_beyond_one_query_page_are_reached() {
    let world = World::start().await;
    let mut aiko = joined(&world, &aiko()).await;
    let mut joon = joined(&world, &joon()).await;
    // Rows of more than a megabyte, a page of a query, that sort before and after the ids of real connections.
    let model = world.rows("ConnectionsTable").await.into_iter().find(|row| row["audience"] == GROUP).unwrap();
    let dead: Vec<Row> = ["!", "~"]
        .into_iter()
        .flat_map(|side| (0..8).map(move |number| format!("{side}{number}")))
        .map(|connection_id| {
            let mut row = model.clone();
            row["connection_id"] = json!(connection_id);
            row["connected_at"] = json!(model["connected_at"].as_u64().unwrap() - 3_600_000);
            row["name"] = json!("x".repeat(150_000));
            row
        })
        .collect();
    world.put("ConnectionsTable", dead).await;
    aiko.say(GROUP, "こんにちは").await;
    joon.hears("こんにちは").await;
    world.settled().await;
    let left = world.rows("ConnectionsTable").await;
    let dead: Vec<_> =
        left.iter().map(|row| &row["connection_id"]).filter(|id| id.as_str().unwrap().len() < 4).collect();
    assert_eq!(dead, [""; 0], "each was pushed to, found gone and removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_reader_costs_others_no_message() {
    const MESSAGES: usize = 230;
    // A push may take one second. If the machine is too busy for the other readers as well, the attempt is repeated.
    in_time(Duration::from_secs(1), async |_| {
        let world = World::with(|options| options.limits.waiting_bytes = 32 * 1024).await;
        let _stuck = stuck(&world, &Person::user("emma", "Emma", "en")).await;
        let mut aiko = joined(&world, &aiko()).await;
        let mut joon = joined(&world, &joon()).await;
        aiko.say(GROUP, "こんにちは").await;
        world.settled().await;
        joon.rest().await;
        world.gateway.streams().pause();
        // Five megabytes are more than the buffers of the sockets hold, so that pushes to the stuck reader are answered
        // with 429.
        world.write_log(GROUP, (0..MESSAGES).map(|number| format!("{number} {}", "x".repeat(20_000)))).await;
        world.gateway.streams().resume();
        world.settled().await;
        let heard = joon.rest().await.iter().filter(|frame| frame["type"] == "message").count();
        let readers = world.rows("ConnectionsTable").await;
        let readers: Vec<_> = readers.iter().filter(|row| row["user_id"] != "emma").collect();
        let is_to_reader = |line: &LogLine| {
            line.line.contains("WARN")
                && readers.iter().any(|row| line.line.contains(row["connection_id"].as_str().unwrap()))
        };
        let logged = world.end().await;
        let dropped = logged.iter().any(|line| is_count_of(line, "PushDropped"));
        assert!(dropped, "dropped pushes to the stuck reader are counted");
        if logged.iter().any(is_to_reader) {
            return None;
        }
        assert_eq!(heard, MESSAGES);
        Some(())
    })
    .await;
}

/// A member of the group that never reads from its socket.
async fn stuck(world: &World, person: &Person) -> WebSocketStream<TcpStream> {
    let url = format!("{}?token={}", world.gateway.websocket_url(), world.token(person));
    let request = url.into_client_request().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = request.uri().authority().unwrap().as_str().parse().unwrap();
    let (mut socket, _) = client_async(request, socket.connect(address).await.unwrap()).await.unwrap();
    let join = json!({"action": "joinGroup", "groupId": "breast-cancer-support"});
    socket.send(Message::text(join.to_string())).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn push_endpoint_comes_from_the_template() {
    let world = World::start().await;
    for function in ["FanOutFunction", "MarkReadFunction"] {
        let environment = &world.template().functions[function].environment;
        assert!(environment.contains_key("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"), "{function}: {environment:?}");
    }
    let mut aiko = joined(&world, &aiko()).await;
    let mut joon = joined(&world, &joon()).await;
    aiko.say(GROUP, "こんにちは").await;
    joon.hears("こんにちは").await;
}
