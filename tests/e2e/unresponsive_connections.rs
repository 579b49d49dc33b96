//! A connection that answers nothing, or is no more, costs nobody else their messages.

use end_to_end::{Client, Consultation, Person, World};
use local_gateway::faults::{Chance, Plan};
use serde_json::{Value, json};

/// Everything by the stream, so that fan-out alone pushes.
async fn by_the_stream() -> World {
    World::with(|options| {
        options.parameters.insert("ExpressLimit".to_owned(), "0".to_owned());
        options.parameters.insert("FullDeliveryLimit".to_owned(), "2".to_owned());
    })
    .await
}

/// The first connection that is pushed to answers nothing from now on.
fn hang_one(world: &World) {
    let mut plan = Plan::default();
    plan.pushes.hung = Chance::once();
    world.gateway.faults().set(plan).expect("a plan that can be followed");
}

fn pushes(world: &World) -> u64 {
    world.gateway.ledger().snapshot().function("FanOutFunction").pushes
}

/// The rows of connections under a participant.
async fn listening(world: &World, participant: &str) -> Vec<Value> {
    let mut rows = world.rows("ConnectionsTable").await;
    rows.retain(|row| row["audience"] == participant);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_connection_is_tried_once() {
    let world = by_the_stream().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    let mut guest = world.connect(&Person::user("guest", "손님", "ko")).await;
    let reply = guest.ask("createRoom", json!({"kind": "consult", "hospital_id": "other-clinic"})).await;
    let elsewhere = reply["room"]["room_id"].as_str().expect("an id").to_owned();
    let mut other = world.connect(&Person::staff("staff", "other-clinic", "직원", "ko")).await;
    world.settled().await;

    hang_one(&world);
    let before = pushes(&world);
    // What has no words is not translated: a translation would be pushed as well.
    hospital.say(&room, "119").await;
    // One of the two devices hangs; that the other one hears it says that the batch is being delivered.
    tokio::select! {
        _ = phone.hears("119") => {}
        _ = laptop.hears("119") => {}
    }
    guest.say(&elsewhere, "112").await;
    other.hears("112").await;
    assert_eq!(pushes(&world) - before, 3, "two devices and the other clinic, and no second try of what hangs");

    world.settled().await;
    let list = hospital.ask("getRoomList", json!({})).await;
    assert_eq!(list["rooms"][0]["last_message"]["message"], "119", "the head moved on");
}

#[tokio::test(flavor = "multi_thread")]
async fn recovered_connection_catches_up_by_sync() {
    let world = by_the_stream().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    hang_one(&world);
    let seq = hospital.say(&room, "괜찮으세요?").await;
    world.settled().await;
    world.gateway.faults().calm();
    assert!(patient.rest().await.iter().all(|frame| frame["message"] != "괜찮으세요?"), "the frame was dropped");
    let synced = patient.ask("sync", json!({"rooms": {room.as_str(): seq - 1}})).await;
    assert_eq!(synced["rooms"][0]["messages"][0]["message"], "괜찮으세요?");
    hospital.say(&room, "여보세요?").await;
    patient.hears("여보세요?").await;
}

/// Screens of the clinic besides the one of the consultation, none of which has opened the room.
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
    let world = by_the_stream().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut plan = Plan::default();
    plan.connections.disconnect_never = Chance::of(1.0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    for screen in screens(&world, 3).await {
        screen.leave().await;
    }
    world.settled().await;
    let rows = listening(&world, "hospital:seoul-clinic").await;
    assert_eq!(rows.len(), 4, "nobody said that they are gone");
    // A connection of the last minute may be too young to be pushed to.
    let grown = rows.into_iter().map(|mut row| {
        row["connected_at"] = json!(row["connected_at"].as_u64().expect("a time") - 120_000);
        row
    });
    world.put("ConnectionsTable", grown).await;

    patient.say(&room, "頭が痛いです。").await;
    hospital.event("room", |event| event["room"]["room_id"] == *room).await;
    world.settled().await;
    assert_eq!(listening(&world, "hospital:seoul-clinic").await.len(), 1, "who is gone is forgotten");
    patient.say(&room, "熱もあります。").await;
    hospital.hears("熱もあります。").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_rows_do_not_count_as_connections() {
    let world = by_the_stream().await;
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
    assert!(speaker.rest().await.iter().all(|frame| frame["type"] != "read"), "the others need not know");
    let marks = world.gateway.ledger().snapshot().function("MarkReadFunction").pushes;
    assert_eq!(marks, 1, "one push for the laptop, however many are in the room");
}
