//! Each file of `events/` is sent to its function, as `cargo lambda invoke` does. The files also document the
//! functions, so they must stay correct.

use end_to_end::{Person, TOKEN_SECRET, World, sign};
use serde_json::{Value, json};

const ROOM: &str = "consult:aiko:seoul-clinic";

/// A world with Aiko's consultation, as the files assume, and this many texts in it.
async fn world(texts: usize) -> World {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
    for number in 0..texts {
        patient.say(ROOM, &format!("メッセージ{number}")).await;
    }
    patient.leave().await;
    world.settled().await;
    world
}

/// The reply of a route: the body that API Gateway would send to the caller.
fn reply(answer: &Value) -> Value {
    assert_eq!(answer["statusCode"], 200, "{answer}");
    serde_json::from_str(answer["body"].as_str().unwrap_or_else(|| panic!("a body is text: {answer}"))).unwrap()
}

fn done(answer: &Value, action: &str) -> Value {
    let reply = reply(answer);
    assert_eq!(reply["type"], "reply", "{reply}");
    assert_eq!(reply["action"], action);
    reply
}

fn unchanged(_: &mut Value) {}

#[tokio::test(flavor = "multi_thread")]
async fn authorizer_accepts_and_passes_identity() {
    let world = World::start().await;
    let answer = world
        .invoke_event("authorizer", |event| {
            // The token in the file is signed with another secret.
            let claims =
                json!({"sub": "aiko", "user_type": "user", "name": "愛子", "language": "ja", "exp": 4_102_444_800_u64});
            let bearer = format!("Bearer {}", sign(&claims, TOKEN_SECRET));
            event["headers"]["Authorization"] = json!(bearer);
            event["multiValueHeaders"]["Authorization"] = json!([bearer]);
        })
        .await;
    assert_eq!(answer["principalId"], "aiko");
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
    let context = &answer["context"];
    assert_eq!(context["participant"], "user:aiko");
    assert_eq!(context["language"], "ja");
    assert_eq!(context["exp"], "4102444800", "numbers may arrive as strings, so they leave as strings");
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_writes_the_connection_and_the_profile() {
    let world = World::start().await;
    let answer = world.invoke_event("connect", unchanged).await;
    assert_eq!(answer["statusCode"], 200);
    let rows = world.rows("ConnectionsTable").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["audience"], &rows[0]["connection_id"]), (&json!("user:aiko"), &json!("VHnB2dPjoE0CIlw=")));
    let profiles = world.rows("ProfilesTable").await;
    assert_eq!((&profiles[0]["participant"], &profiles[0]["language"]), (&json!("user:aiko"), &json!("ja")));
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_is_idempotent() {
    let world = World::start().await;
    world.invoke_event("connect", unchanged).await;
    for _ in 0..2 {
        let answer = world.invoke_event("disconnect", unchanged).await;
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(world.rows("ConnectionsTable").await, Vec::<Value>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_action_lists_actions() {
    let world = World::start().await;
    let reply = reply(&world.invoke_event("unknown-action", unchanged).await);
    assert_eq!(reply["code"], "unknown_action");
    assert_eq!(reply["request_id"], "1");
    assert!(reply["message"].as_str().unwrap().contains("sendMessage"));
}

#[tokio::test(flavor = "multi_thread")]
async fn create_room_opens_consultation() {
    let world = World::start().await;
    let reply = done(&world.invoke_event("create-room", unchanged).await, "createRoom");
    assert_eq!(reply["room"]["room_id"], ROOM);
    assert_eq!(reply["created"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn join_group_opens_consultation() {
    let world = world(0).await;
    world.invoke_event("connect", unchanged).await;
    let reply = done(&world.invoke_event("join-group", unchanged).await, "joinGroup");
    assert_eq!(reply["room"]["room_id"], ROOM);
}

#[tokio::test(flavor = "multi_thread")]
async fn send_message_appends_once() {
    let world = world(0).await;
    for duplicate in [false, true, true] {
        let reply = done(&world.invoke_event("send-message", unchanged).await, "sendMessage");
        assert_eq!(reply["seq"], 2);
        assert_eq!(reply["duplicate"], duplicate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_chat_history_reads_log() {
    let world = world(2).await;
    let reply = done(&world.invoke_event("get-chat-history", unchanged).await, "getChatHistory");
    assert_eq!(reply["messages"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_room_list_lists_consultation() {
    let world = world(1).await;
    let reply = done(&world.invoke_event("get-room-list", unchanged).await, "getRoomList");
    assert_eq!(reply["rooms"][0]["room_id"], ROOM);
}

#[tokio::test(flavor = "multi_thread")]
async fn change_room_status_sets_status() {
    let world = world(1).await;
    let reply = done(&world.invoke_event("change-room-status", unchanged).await, "changeRoomStatus");
    assert_eq!(reply["status"], "in_progress");
    assert_eq!(reply["seq"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn mark_read_moves_the_mark() {
    let world = world(1).await;
    let reply = done(&world.invoke_event("mark-read", unchanged).await, "markRead");
    assert_eq!(reply["last_read_seq"], 2);
    assert_eq!(reply["unread_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_returns_only_newer_entries() {
    let world = world(2).await;
    let reply = done(&world.invoke_event("sync", unchanged).await, "sync");
    assert_eq!(reply["rooms"][0]["last_seq"], 3);
    assert_eq!(reply["rooms"][0]["complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn translate_translates() {
    let world = world(1).await;
    let reply = done(&world.invoke_event("translate", unchanged).await, "translateMessage");
    assert_eq!(reply["translation"]["language"], "ko");
    assert_eq!(reply["translation"]["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn translation_report_sums_up_the_month() {
    let world = world(1).await;
    let reply = done(&world.invoke_event("translation-report", unchanged).await, "getUsage");
    assert!(reply["billed_characters"].as_u64().unwrap() > 0, "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fan_out_pushes_message_and_translation() {
    let world = world(1).await;
    let mut hospital = world.connect(&Person::staff("minjun", "seoul-clinic", "민준", "ko")).await;
    let answer = world.invoke_event("fan-out", unchanged).await;
    assert_eq!(answer["batchItemFailures"], json!([]));
    hospital.hears("こんにちは。予約したいです。").await;
    hospital.event("translation", |event| event["seq"] == 2 && event["translation"]["language"] == "ko").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_translate_translates_the_current_row() {
    let world = world(0).await;
    world.gateway.streams().pause();
    done(&world.invoke_event("send-message", unchanged).await, "sendMessage");
    let answer = world.invoke_event("auto-translate", unchanged).await;
    assert_eq!(answer["batchItemFailures"], json!([]));
    let row = world.log_of(ROOM).await.pop().unwrap();
    assert_eq!(row["translations"]["ko"]["status"], "ok", "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_translate_retries_missing_rows() {
    let world = world(0).await;
    let answer = world.invoke_event("auto-translate", unchanged).await;
    assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "4421584500000000017450439091", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_creates_ticket() {
    let world = World::start().await;
    let reply = done(&world.invoke_event("session", unchanged).await, "createTicket");
    assert_eq!(reply["ticket"].as_str().unwrap().len(), 43, "{reply}");
    assert_eq!(world.rows("GuardsTable").await.len(), 1);
}
