//! The express lane: who stores a message pushes it to a small audience, and the stream's reader to everybody else.

use end_to_end::{Client, Consultation, Person, World};
use local_gateway::faults::{Chance, Plan};
use serde_json::{Value, json};

/// How often somebody got this text as an event.
fn heard(frames: &[Value], text: &str) -> usize {
    frames.iter().filter(|frame| frame["type"] == "message" && frame["message"] == text).count()
}

/// A group of its owner and so many others, each with one connection.
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
async fn a_message_is_there_before_anybody_has_read_the_stream() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    world.gateway.streams().pause();
    hospital.say(&room, "언제부터 아프셨어요?").await;
    patient.hears("언제부터 아프셨어요?").await;
    laptop.hears("언제부터 아프셨어요?").await;

    let (room, mut owner, mut others) = {
        world.gateway.streams().resume();
        group(&world, 3).await
    };
    world.gateway.streams().pause();
    owner.say(&room, "여러분 안녕하세요").await;
    for member in &mut others {
        member.hears("여러분 안녕하세요").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_by_the_express_lane_does_not_come_by_the_stream_as_well() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    // On AWS the stream is slower than the mark of who took a message.
    world.gateway.streams().pause();
    for number in 0..5 {
        hospital.say(&room, &format!("{number}번")).await;
        patient.say(&room, &format!("{number}番")).await;
    }
    world.gateway.streams().resume();
    world.settled().await;
    let (patient, hospital) = (patient.rest().await, hospital.rest().await);
    for number in 0..5 {
        assert_eq!(heard(&patient, &format!("{number}번")), 1);
        assert_eq!(heard(&hospital, &format!("{number}番")), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_on_the_express_lane_is_made_by_the_stream() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    world.settled().await;
    let mut plan = Plan::default();
    plan.pushes.failed = Chance { probability: 1.0, at_most: Some(1) };
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    world.gateway.streams().pause();
    hospital.say(&room, "괜찮으세요?").await;
    world.gateway.streams().resume();
    world.settled().await;
    assert_eq!(heard(&patient.rest().await, "괜찮으세요?"), 1);
    assert_eq!(heard(&laptop.rest().await, "괜찮으세요?"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_answers_nothing_costs_the_others_no_double() {
    let world = World::start().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    world.settled().await;
    let mut plan = Plan::default();
    plan.pushes.hung = Chance::once();
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    world.gateway.streams().pause();
    hospital.say(&room, "괜찮으세요?").await;
    world.gateway.streams().resume();
    world.settled().await;
    let came = [&phone.rest().await, &laptop.rest().await].map(|frames| heard(frames, "괜찮으세요?"));
    assert_eq!(
        came.iter().sum::<usize>(),
        1,
        "one device answers nothing, and the other gets the message once: {came:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_cannot_be_written_costs_a_double_and_loses_nothing() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    world.settled().await;
    let mut plan = Plan::default();
    plan.dynamodb.functions.insert("SendMessageFunction".to_owned());
    plan.dynamodb.operations.insert("UpdateItem".to_owned());
    plan.dynamodb.failed_before = Chance::of(1.0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    hospital.say(&room, "괜찮으세요?").await;
    world.settled().await;
    assert_eq!(heard(&patient.rest().await, "괜찮으세요?"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_audience_is_left_to_the_stream() {
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
async fn without_the_express_lane_everything_comes_by_the_stream() {
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
