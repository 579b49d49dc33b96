//! Connections that do not answer or no longer exist delay nobody else.

use std::time::Duration;

use end_to_end::{Client, Consultation, Person, World, eventually, in_time};
use local_gateway::faults::{Chance, Plan};
use serde_json::{Value, json};

/// A world without the express lane, in which only fan-out pushes.
async fn stream_only() -> World {
    World::with(|options| {
        options.parameters.insert("ExpressLimit".to_owned(), "0".to_owned());
        options.parameters.insert("FullDeliveryLimit".to_owned(), "2".to_owned());
        options.parameters.insert("SendWindowMs".to_owned(), "0".to_owned());
    })
    .await
}

/// The first connection that is pushed to does not answer from now on.
fn hang_one(world: &World) {
    let mut plan = Plan::default();
    plan.pushes.hung = Chance::once();
    world.gateway.faults().set(plan).expect("a plan that can be followed");
}

fn pushes(world: &World) -> u64 {
    world.gateway.ledger().snapshot().function("FanOutFunction").pushes
}

/// The rows of a participant's connections.
async fn listening(world: &World, participant: &str) -> Vec<Value> {
    let mut rows = world.rows("ConnectionsTable").await;
    rows.retain(|row| row["audience"] == participant);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_connection_is_tried_once() {
    // A push may take one second. If the machine is too busy for the device that answers, the attempt is repeated.
    in_time(Duration::from_secs(1), async |_| try_hung_connection().await).await;
}

async fn try_hung_connection() -> Option<()> {
    let world = stream_only().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    let mut guest = world.connect(&Person::user("guest", "손님", "ko")).await;
    let reply = guest.ask("createRoom", json!({"kind": "consult", "hospital_id": "other-clinic"})).await;
    let elsewhere = reply["room"]["room_id"].as_str().expect("an id").to_owned();
    let mut other = world.connect(&Person::staff("staff", "other-clinic", "직원", "ko")).await;
    world.settled().await;

    hang_one(&world);
    let before = pushes(&world);
    // A text without words, because a translation would be pushed as well.
    hospital.say(&room, "119").await;
    // One of the two devices hangs; once the other one receives the message, the batch is being delivered.
    let is_heard = tokio::select! {
        _ = phone.hears("119") => true,
        _ = laptop.hears("119") => true,
        () = world.settled() => false,
    };
    if !is_heard && !is_text(&phone.rest().await, "119") && !is_text(&laptop.rest().await, "119") {
        return None;
    }
    guest.say(&elsewhere, "112").await;
    other.hears("112").await;
    assert_eq!(pushes(&world) - before, 3, "two devices and the other clinic, without a retry of the push that hangs");

    world.settled().await;
    let list = hospital.ask("getRoomList", json!({})).await;
    assert_eq!(list["rooms"][0]["last_message"]["message"], "119", "the head is updated");
    Some(())
}

fn is_text(frames: &[Value], text: &str) -> bool {
    frames.iter().any(|frame| frame["type"] == "message" && frame["message"] == text)
}

#[tokio::test(flavor = "multi_thread")]
async fn recovered_connection_catches_up_by_sync() {
    let world = stream_only().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    hang_one(&world);
    let seq = hospital.say(&room, "괜찮으세요?").await;
    world.settled().await;
    world.gateway.faults().calm();
    assert!(!is_text(&patient.rest().await, "괜찮으세요?"), "the frame was dropped");
    let synced = patient.ask("sync", json!({"rooms": {room.as_str(): seq - 1}})).await;
    assert_eq!(synced["rooms"][0]["messages"][0]["message"], "괜찮으세요?");
    // For a minute, a push to a connection that did not answer may take only 50 ms, too little on a busy machine.
    let mut number = 0;
    eventually("a push is taken again", async || {
        number += 1;
        let text = format!("여보세요? {number}");
        hospital.say(&room, &text).await;
        world.settled().await;
        is_text(&patient.rest().await, &text)
    })
    .await;
}

/// More screens of the clinic, none of which has opened the room.
async fn screens(world: &World, count: usize) -> Vec<Client> {
    let mut screens = Vec::new();
    for number in 0..count {
        let staff = Person::staff(&format!("staff-{number}"), "seoul-clinic", "직원", "ko");
        screens.push(world.connect(&staff).await);
    }
    screens
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_connections_stop_crowding_a_clinic() {
    let world = stream_only().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut plan = Plan::default();
    plan.connections.disconnect_never = Chance::of(1.0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    for screen in screens(&world, 3).await {
        screen.leave().await;
    }
    world.settled().await;
    let rows = listening(&world, "hospital:seoul-clinic").await;
    assert_eq!(rows.len(), 4, "their disconnect was never reported");
    // A connection of the last minute may belong to a handshake that is still in progress.
    let grown = rows.into_iter().map(|mut row| {
        row["connected_at"] = json!(row["connected_at"].as_u64().expect("a time") - 120_000);
        row
    });
    world.put("ConnectionsTable", grown).await;

    patient.say(&room, "頭が痛いです。").await;
    hospital.event("room", |event| event["room"]["room_id"] == *room).await;
    world.settled().await;
    assert_eq!(listening(&world, "hospital:seoul-clinic").await.len(), 1, "dead connections are removed");
    patient.say(&room, "熱もあります。").await;
    hospital.hears("熱もあります。").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_rows_do_not_count_as_connections() {
    let world = stream_only().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    let model = listening(&world, "hospital:seoul-clinic").await.pop().expect("the hospital's connection");
    let expired = (0..5).map(|number| {
        let mut row = model.clone();
        row["connection_id"] = json!(format!("long-gone-{number}="));
        row["expires_at"] = json!(1_000_000);
        row
    });
    world.put("ConnectionsTable", expired).await;
    patient.say(&room, "頭が痛いです。").await;
    hospital.hears("頭が痛いです。").await;
    world.settled().await;
    assert_eq!(listening(&world, "hospital:seoul-clinic").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_room_read_marks_reach_own_devices_only() {
    let world = World::start().await;
    let mut speaker = world.connect(&Person::user("speaker", "강사", "ko")).await;
    let mut phone = world.connect(&testkit::people::patient()).await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    for client in [&mut speaker, &mut phone, &mut laptop] {
        client.ask("joinGroup", json!({"group_id": "open:hall"})).await;
    }
    let seq = speaker.say("open:hall", "여러분 안녕하세요").await;
    phone.hears("여러분 안녕하세요").await;
    world.settled().await;
    phone.ask("markRead", json!({"room_id": "open:hall", "seq": seq})).await;
    let read = laptop.event("read", |event| event["room_id"] == "open:hall").await;
    assert_eq!((read["participant"].as_str(), read["last_read_seq"].as_u64()), (Some("user:aiko"), Some(seq)));
    assert!(speaker.rest().await.iter().all(|frame| frame["type"] != "read"), "others receive no read marks");
    let marks = world.gateway.ledger().snapshot().function("MarkReadFunction").pushes;
    assert_eq!(marks, 1, "one push, for the laptop");
}
