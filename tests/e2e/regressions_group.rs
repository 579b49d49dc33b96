//! The group chat with stream fan-out that Damso grew from: what it promised holds here, and how it failed does not
//! happen here.

use end_to_end::{Client, Credential, Person, Row, World};
use futures::{SinkExt, StreamExt};
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
async fn keeps_join_group_and_sending_into_the_joined_group_without_naming_it() {
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
async fn keeps_storing_a_message_first_and_pushing_it_by_the_stream() {
    // The express lane is only a faster way beside this one.
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
    assert_eq!(joon.rest().await, Vec::<Value>::new(), "nothing is pushed but by the stream");
    world.gateway.streams().resume();
    assert_eq!(joon.hears("こんにちは").await["seq"], seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_whose_token_was_not_checked() {
    let world = World::start().await;
    let forged = testkit::people::sign(
        &json!({"sub": "aiko", "exp": 4_102_444_800_u64}),
        "not the issuer's secret, but long enough to sign",
    );
    assert_eq!(world.try_connect(&forged, Credential::Header).await.expect_err("forged").status, 401);
    assert_eq!(Client::connect(&world.gateway.websocket_url(), None).await.expect_err("none").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_in_many_groups_and_says_which_one_it_means() {
    let world = World::start().await;
    let mut aiko = joined(&world, &aiko()).await;
    aiko.ask("joinGroup", json!({"groupId": "recovery"})).await;
    let mut joon = joined(&world, &joon()).await;
    joon.ask("joinGroup", json!({"groupId": "recovery"})).await;
    for group in [GROUP, "open:recovery"] {
        aiko.say(group, group).await;
        let heard = joon.hears(group).await;
        assert_eq!(heard["room_id"], group, "a push says which group it belongs to");
    }
    let unnamed = aiko.ask("sendMessage", json!({"message": "?"})).await;
    assert_eq!(unnamed["room_id"], "open:recovery", "without a name it is the one joined last");
    let mut newcomer = world.connect(&Person::user("emma", "Emma", "en")).await;
    newcomer.refused("sendMessage", json!({"message": "?"}), "bad_request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_history_can_be_read_by_who_comes_later() {
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
async fn a_push_says_what_it_is_and_where_it_belongs() {
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
async fn recipients_beyond_one_page_of_the_table_are_reached() {
    let world = World::start().await;
    let mut aiko = joined(&world, &aiko()).await;
    let mut joon = joined(&world, &joon()).await;
    // Rows of a group that fill more than a megabyte, on either side of every real connection's id.
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
    assert_eq!(dead, [""; 0], "each of them was pushed to, found gone and forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_costs_nobody_else_a_message() {
    let world = World::with(|options| options.limits.waiting_bytes = 32 * 1024).await;
    let _stuck = stuck(&world, &Person::user("emma", "Emma", "en")).await;
    let mut aiko = joined(&world, &aiko()).await;
    let mut joon = joined(&world, &joon()).await;
    aiko.say(GROUP, "こんにちは").await;
    world.settled().await;
    world.gateway.streams().pause();
    // Five megabytes, more than the sockets' buffers take, so that pushes to the one who does not read are answered with 429.
    world.write_log(GROUP, (0..230).map(|number| format!("{number} {}", "x".repeat(20_000)))).await;
    world.gateway.streams().resume();
    for number in 0..230 {
        let start = format!("{number} ");
        joon.event("message", |event| event["message"].as_str().is_some_and(|text| text.starts_with(&start))).await;
    }
    world.settled().await;
    let dropped = world.logged().iter().filter(|line| line.line.contains("a push was dropped")).count();
    assert!(dropped > 0, "the other one's were dropped in the end, and counted");
}

/// Somebody in the group who never reads what arrives.
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
async fn who_joins_a_group_is_pushed_to_though_the_endpoint_is_set_in_the_template_alone() {
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
