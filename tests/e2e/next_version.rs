//! Rows of an invented next version break nothing: what this version cannot read counts as absent.

use end_to_end::{Consultation, Row, World};
use serde_json::{Value, json};

/// An entry of the next version at the end of a room's log.
fn next_entry(model: &Row) -> Row {
    let mut row = model.clone();
    row["seq"] = json!(model["seq"].as_u64().unwrap() + 1);
    row["message_id"] = json!("m~1");
    row["kind"] = json!("card");
    row["message"] = json!({"blocks": [{"text": "予約"}]});
    row["language"] = json!({"detected": "ja"});
    row["sender"] = json!({"participant": "bot:triage", "user_id": "bot/triage"});
    row["event"] = json!({"name": "poll_opened", "options": ["A", "B"]});
    row["translations"] = json!({"ko": {"text": "예약", "source": "glossary", "status": "partial", "version": 1}});
    row["reactions"] = json!({"👍": ["user:aiko"]});
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_of_next_version_stops_nobody() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.ask("joinGroup", json!({"group_id": "open:lobby"})).await;
    patient.say("open:lobby", "こんにちは").await;
    patient.say(&room, "頭が痛いです。").await;
    world.settled().await;
    let last = world.log_of(&room).await.pop().unwrap();
    world.put("MessagesTable", [next_entry(&last)]).await;
    let seq = last["seq"].as_u64().unwrap() + 1;
    let placeholder = hospital.event("message", |event| event["seq"] == seq).await;
    assert_eq!((&placeholder["kind"], &placeholder["message"]), (&json!("unknown"), &json!("")));
    assert_eq!(placeholder["event"]["name"], "poll_opened", "newer clients may know it");

    let synced = patient.ask("sync", json!({"rooms": {(room.clone()): 0, "open:lobby": 0}})).await;
    let synced = synced["rooms"].as_array().unwrap();
    assert_eq!(synced.len(), 2);
    assert!(synced.iter().all(|room| room["complete"] == true), "{synced:?}");
    let history = hospital.ask("getChatHistory", json!({"room_id": room})).await;
    assert_eq!(history["messages"].as_array().unwrap().last().unwrap()["seq"], seq);
    patient.ask("getChatHistory", json!({"room_id": room, "query": "予約"})).await;
    assert_eq!(patient.say(&room, "聞こえますか").await, seq + 1);
    hospital.hears("聞こえますか").await;
    hospital.ask("markRead", json!({"room_id": room, "seq": seq})).await;
    hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await;
    world.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_of_next_version_is_shown_and_used() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.say(&room, "頭が痛いです。").await;
    world.settled().await;
    let mut row = world.rows("RoomsTable").await.pop().unwrap();
    row["status"] = json!("archived");
    row["hospital_translation"] = json!("summarized");
    row["created_by"] = json!("bot:triage");
    row["limited_in"] = json!({"month": "2026-11"});
    row["last_message"]["sender"] = json!("bot:triage");
    row["pinned"] = json!([1, 2]);
    world.put("RoomsTable", [row]).await;
    let mut member = world.rows("MembersTable").await.into_iter().find(|row| row["role"] == "patient").unwrap();
    member["role"] = json!("observer");
    member["mutes"] = json!("all");
    member["language"] = json!(["ja", "en"]);
    world.put("MembersTable", [member]).await;

    let listed = patient.ask("getRoomList", json!({})).await["rooms"][0].clone();
    assert_eq!((&listed["room_id"], &listed["status"]), (&json!(room), &json!("in_progress")));
    assert_eq!(listed["translation"], "off", "the strictest of what it may mean");
    assert_eq!(listed["last_message"]["message"], "頭が痛いです。");
    let seq = hospital.say(&room, "네").await;
    patient.hears("네").await;
    patient.ask("markRead", json!({"room_id": room, "seq": seq})).await;
    patient.ask("joinGroup", json!({"group_id": room})).await;
    world.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_row_costs_only_itself() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    // A member and a connection of kinds that this version does not have.
    let mut member = world.rows("MembersTable").await.pop().unwrap();
    member["participant"] = json!("bot:triage");
    world.put("MembersTable", [member]).await;
    let mut connection: Value =
        world.rows("ConnectionsTable").await.into_iter().find(|row| row["participant"] == "user:aiko").unwrap();
    connection["connection_id"] = json!("new-kind=");
    connection["participant"] = json!("bot:triage");
    world.put("ConnectionsTable", [connection]).await;
    patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    hospital.say(&room, "네").await;
    patient.hears("네").await;
    patient.ask("joinGroup", json!({"group_id": room})).await;
    world.settled().await;
}
