//! The express lane: `send-message` pushes a message to a small audience, and fan-out to everybody else.

use end_to_end::{Client, Consultation, Person, World, eventually};
use local_gateway::faults::{Chance, Plan};
use serde_json::{Value, json};

/// How often a text arrived as an event.
fn heard(frames: &[Value], text: &str) -> usize {
    frames.iter().filter(|frame| frame["type"] == "message" && frame["message"] == text).count()
}

/// A group of an owner and this many others, each with one connection.
async fn group(world: &World, others: usize) -> (String, Client, Vec<Client>) {
    let mut owner = world.connect(&Person::user("owner", "주인", "ko")).await;
    let mut rest = Vec::new();
    for number in 0..others {
        rest.push(world.connect(&Person::user(&format!("member-{number}"), "会員", "ko")).await);
    }
    let members: Vec<_> = (0..others).map(|number| format!("user:member-{number}")).collect();
    let reply = owner.ask("createRoom", json!({"kind": "group", "name": "모임", "members": members})).await;
    let room = reply["room"]["room_id"].as_str().expect("an id").to_owned();
    world.settled().await;
    (room, owner, rest)
}

#[tokio::test(flavor = "multi_thread")]
async fn message_arrives_before_stream_is_read() {
    let world = unlimited_world().await;
    let Consultation { room, patient, mut hospital } = world.consultation().await;
    let laptop = world.connect(&testkit::people::patient()).await;
    world.gateway.streams().pause();
    are_served(&mut hospital, &room, vec![patient, laptop]).await;

    world.gateway.streams().resume();
    let (room, mut owner, others) = group(&world, 3).await;
    world.gateway.streams().pause();
    are_served(&mut owner, &room, others).await;
}

/// Sends messages until all listeners receive one. `send-message` does not wait long for its pushes, so that on a busy
/// machine it may leave some messages to the stream.
async fn are_served(speaker: &mut Client, room: &str, mut listeners: Vec<Client>) {
    let mut number = 0;
    eventually("all hear one message", async || {
        number += 1;
        let text = format!("{number}번");
        speaker.say(room, &text).await;
        let mut everybody = true;
        for listener in &mut listeners {
            everybody &= heard(&listener.rest().await, &text) == 1;
        }
        everybody
    })
    .await;
}

/// A world without a limit on the rate of messages.
async fn unlimited_world() -> World {
    World::with(|stack| {
        stack.parameters.insert("SendWindowMs".to_owned(), "0".to_owned());
    })
    .await
}

/// The number of connections that took a message from `send-message` in time, as it recorded.
async fn marked(world: &World, room: &str, seq: u64) -> usize {
    let sends = world.rows("SendsTable").await;
    let send = sends.iter().find(|send| send["room_id"] == room && send["seq"] == seq).expect("the message was sent");
    send["pushed_to"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn express_message_is_not_repeated_by_stream() {
    let world = unlimited_world().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    let mut in_time = 0;
    eventually("ten messages were pushed in time", async || {
        // On AWS the stream is slower than the express lane.
        world.gateway.streams().pause();
        let mut sent = Vec::new();
        for number in 0..5 {
            for (speaker, text) in [(&mut hospital, format!("{number}번")), (&mut patient, format!("{number}番"))] {
                let seq = speaker.say(&room, &text).await;
                sent.push((marked(&world, &room, seq).await, text));
            }
        }
        world.gateway.streams().resume();
        world.settled().await;
        let frames = [patient.rest().await, hospital.rest().await].concat();
        for (marked, text) in sent {
            let heard = heard(&frames, &text);
            assert!(heard == 1 || heard > 1 && marked == 0, "{text} came {heard} times");
            in_time += marked;
        }
        in_time >= 10
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_repeats_failed_express_push() {
    let world = unlimited_world().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    world.settled().await;
    let mut number = 0;
    eventually("the other push was made in time", async || {
        number += 1;
        let text = format!("{number}번");
        let mut plan = Plan::default();
        plan.pushes.failed = Chance::once();
        world.gateway.faults().set(plan).expect("a plan that can be followed");
        world.gateway.streams().pause();
        let seq = hospital.say(&room, &text).await;
        let is_in_time = marked(&world, &room, seq).await == 1;
        world.gateway.streams().resume();
        world.settled().await;
        let came = [&patient.rest().await, &laptop.rest().await].map(|frames| heard(frames, &text));
        assert!(came.iter().all(|came| *came >= 1), "{came:?}");
        assert!(!is_in_time || came == [1, 1], "{came:?}");
        is_in_time
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_connection_causes_no_duplicates() {
    let world = unlimited_world().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    world.settled().await;
    let mut plan = Plan::default();
    plan.pushes.hung = Chance::once();
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    let mut number = 0;
    eventually("the other push was made in time", async || {
        number += 1;
        let text = format!("{number}번");
        world.gateway.streams().pause();
        let seq = hospital.say(&room, &text).await;
        let is_in_time = marked(&world, &room, seq).await == 1;
        world.gateway.streams().resume();
        world.settled().await;
        let came = heard(&phone.rest().await, &text) + heard(&laptop.rest().await, &text);
        assert!(!is_in_time || came == 1, "one device answers nothing, and the other gets the message once: {came}");
        is_in_time
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_mark_causes_duplicate_never_loss() {
    let world = unlimited_world().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    let mut plan = Plan::default();
    plan.dynamodb.functions.insert("SendMessageFunction".to_owned());
    plan.dynamodb.operations.insert("UpdateItem".to_owned());
    plan.dynamodb.failed_before = Chance::of(1.0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    let mut number = 0;
    eventually("the message was pushed twice", async || {
        number += 1;
        let text = format!("{number}번");
        hospital.say(&room, &text).await;
        world.settled().await;
        let came = heard(&patient.rest().await, &text);
        assert!(came >= 1, "nothing is lost");
        came == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_audience_is_left_to_stream() {
    let world = World::start().await;
    let (room, mut owner, mut others) = group(&world, 9).await;
    world.gateway.streams().pause();
    owner.say(&room, "여러분 안녕하세요").await;
    for member in &mut others {
        assert_eq!(heard(&member.rest().await, "여러분 안녕하세요"), 0);
    }
    world.gateway.streams().resume();
    for member in &mut others {
        member.hears("여러분 안녕하세요").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_express_lane_stream_delivers() {
    let world = World::with(|stack| {
        stack.parameters.insert("ExpressLimit".to_owned(), "0".to_owned());
    })
    .await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    world.gateway.streams().pause();
    hospital.say(&room, "괜찮으세요?").await;
    assert_eq!(heard(&patient.rest().await, "괜찮으세요?"), 0);
    world.gateway.streams().resume();
    patient.hears("괜찮으세요?").await;
}
