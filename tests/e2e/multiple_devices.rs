//! One person, several devices; one hospital, several screens.

use end_to_end::{Client, Consultation, Person, World};
use serde_json::{Value, json};

fn texts(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter(|frame| frame["type"] == "message" && frame["kind"] == "text")
        .map(|frame| frame["message"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_device_receives_messages() {
    let world = World::start().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    hospital.say(&room, "언제부터 아프셨어요?").await;
    for device in [&mut phone, &mut laptop] {
        device.hears("언제부터 아프셨어요?").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_gets_reply_other_device_gets_event() {
    let world = World::start().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    let seq = phone.say(&room, "頭が痛いです。").await;
    let copy = laptop.hears("頭が痛いです。").await;
    assert_eq!(copy["seq"], seq);
    hospital.hears("頭が痛いです。").await;
    world.settled().await;
    assert_eq!(texts(&phone.rest().await), [""; 0], "the sending device gets only the reply");
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_connect_and_leave_independently() {
    let world = World::start().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    phone.ask("getRoomList", json!({})).await;
    laptop.ask("getRoomList", json!({})).await;
    laptop.leave().await;
    hospital.say(&room, "네").await;
    phone.hears("네").await;
    phone.say(&room, "はい").await;
    hospital.hears("はい").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_share_consultation_and_answers() {
    let world = World::start().await;
    let Consultation { room, mut patient, hospital: mut minjun } = world.consultation().await;
    let mut sora = world.connect(&Person::staff("sora", "seoul-clinic", "소라", "ko")).await;
    patient.say(&room, "頭が痛いです。").await;
    minjun.hears("頭が痛いです。").await;
    sora.hears("頭が痛いです。").await;
    sora.say(&room, "언제부터 아프셨어요?").await;
    let seen = minjun.hears("언제부터 아프셨어요?").await;
    assert_eq!(seen["sender"], json!({"participant": "hospital:seoul-clinic", "user_id": "sora", "name": "소라"}));
    patient.hears("언제부터 아프셨어요?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_marks_are_shared_between_devices() {
    let world = World::start().await;
    let Consultation { room, patient: mut phone, mut hospital } = world.consultation().await;
    let mut laptop = world.connect(&testkit::people::patient()).await;
    let seq = hospital.say(&room, "네").await;
    phone.ask("markRead", json!({"room_id": room, "seq": seq})).await;
    world.settled().await;
    let list = laptop.ask("getRoomList", json!({})).await;
    assert_eq!(list["rooms"][0]["unread_count"], 0);
    let read = laptop.event("read", |event| event["room_id"] == *room).await;
    assert_eq!(read["participant"], "user:aiko");
}

#[tokio::test(flavor = "multi_thread")]
async fn crowded_hospital_gets_summaries_outside_the_room() {
    let world = World::with(|options| {
        options.parameters.insert("FullDeliveryLimit".to_owned(), "2".to_owned());
    })
    .await;
    let Consultation { room, mut patient, hospital } = world.consultation().await;
    let mut screens: Vec<Client> = vec![hospital];
    for number in 0..3 {
        let staff = Person::staff(&format!("staff-{number}"), "seoul-clinic", "직원", "ko");
        screens.push(world.connect(&staff).await);
    }
    screens[0].ask("joinGroup", json!({"room_id": room})).await;
    world.settled().await;
    for screen in &mut screens {
        screen.rest().await;
    }

    let seq = patient.say(&room, "頭が痛いです。").await;
    screens[0].hears("頭が痛いです。").await;
    for screen in &mut screens[1..] {
        let event = screen.event("room", |event| event["room"]["room_id"] == *room).await;
        assert_eq!(event["room"]["last_seq"].as_u64(), Some(seq));
    }
    world.settled().await;
    for screen in &mut screens[1..] {
        assert_eq!(texts(&screen.rest().await), [""; 0], "a screen that did not open the room gets no messages");
    }
}
