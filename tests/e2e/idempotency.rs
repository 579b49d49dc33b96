//! Idempotency: a client that got no reply sends the same `message_id` again, which adds nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use end_to_end::{Consultation, World, in_time};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

fn send(room: &str, message_id: &str, message: &str) -> Value {
    json!({"room_id": room, "message_id": message_id, "message": message})
}

fn fresh_id() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_message_id_gets_the_first_reply() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let id = fresh_id();
    let first = patient.ask("sendMessage", send(&room, &id, "はい")).await;
    assert_eq!(first["duplicate"], false);
    hospital.hears("はい").await;
    // Where the express lane is late, the stream pushes the message again; the repetitions may not.
    world.settled().await;
    hospital.rest().await;
    for _ in 0..3 {
        let again = patient.ask("sendMessage", send(&room, &id, "はい")).await;
        assert_eq!(again["duplicate"], true);
        for field in ["room_id", "seq", "message_id", "sent_at"] {
            assert_eq!(again[field], first[field], "{field}");
        }
    }
    assert_eq!(world.log_of(&room).await.len(), 2);
    world.settled().await;
    let heard = hospital.rest().await.iter().filter(|frame| frame["message"] == "はい").count();
    assert_eq!(heard, 0, "the other side does not receive it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_from_another_connection_is_recognized() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let id = fresh_id();
    let first = patient.ask("sendMessage", send(&room, &id, "はい")).await;
    patient.leave().await;
    let mut reconnected = world.connect(&testkit::people::patient()).await;
    let again = reconnected.ask("sendMessage", send(&room, &id, "はい")).await;
    assert_eq!((&again["seq"], &again["duplicate"]), (&first["seq"], &json!(true)));
    assert_eq!(world.log_of(&room).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_copies_become_one_message() {
    let world = World::start().await;
    let Consultation { room, patient, .. } = world.consultation().await;
    let id = fresh_id();
    let mut connections = vec![patient];
    for _ in 0..5 {
        connections.push(world.connect(&testkit::people::patient()).await);
    }
    let answers =
        join_all(connections.iter_mut().map(|connection| connection.ask("sendMessage", send(&room, &id, "はい"))))
            .await;
    let seqs: BTreeSet<_> = answers.iter().map(|answer| answer["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, BTreeSet::from([2]));
    let first = answers.iter().filter(|answer| answer["duplicate"] == false).count();
    assert_eq!(first, 1, "exactly one is not a duplicate: {answers:#?}");
    assert_eq!(world.log_of(&room).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_message_id_keeps_first_text() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    let id = fresh_id();
    patient.ask("sendMessage", send(&room, &id, "はい")).await;
    patient.refused("sendMessage", send(&room, &id, "いいえ"), "message_id_taken").await;
    let mut elsewhere = world.connect(&testkit::people::patient()).await;
    elsewhere.refused("sendMessage", send(&room, &id, "いいえ"), "message_id_taken").await;
    let log = world.log_of(&room).await;
    assert_eq!(log.len(), 2);
    assert_eq!(log[1]["message"], "はい");
}

#[tokio::test(flavor = "multi_thread")]
async fn message_id_belongs_to_participant_and_room() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "busan-clinic"})).await;
    let id = fresh_id();
    patient.ask("sendMessage", send(&room, &id, "はい")).await;
    let other_side = hospital.ask("sendMessage", send(&room, &id, "네")).await;
    assert_eq!(other_side["duplicate"], false, "ids of other participants do not matter");
    let other_room = patient.ask("sendMessage", send("consult:aiko:busan-clinic", &id, "はい")).await;
    assert_eq!(other_room["duplicate"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_is_answered_in_closed_room() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let id = fresh_id();
    let first = patient.ask("sendMessage", send(&room, &id, "ありがとう")).await;
    hospital.ask("changeRoomStatus", json!({"room_id": room, "status": "closed"})).await;
    let again = patient.ask("sendMessage", send(&room, &id, "ありがとう")).await;
    assert_eq!((&again["seq"], &again["duplicate"]), (&first["seq"], &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_retry_adds_nothing() {
    let world = World::start().await;
    let Consultation { room, mut patient, .. } = world.consultation().await;
    in_time(Duration::from_secs(1), async |_| {
        let id = fresh_id();
        let first = patient.ask("sendMessage", send(&room, &id, "はい")).await;
        let entries = world.log_of(&room).await.len();
        let mut row = world.rows("SendsTable").await.into_iter().find(|row| row["seq"] == first["seq"]).unwrap();
        row["expires_at"] = json!(1_000_000);
        world.put("SendsTable", [row.clone()]).await;
        let again = patient.ask("sendMessage", send(&room, &id, "はい")).await;
        // DynamoDB deletes expired rows within days, the gateway once a minute, which may be just now.
        if !world.rows("SendsTable").await.contains(&row) {
            return None;
        }
        assert_eq!((&again["seq"], &again["duplicate"]), (&first["seq"], &json!(true)));
        assert_eq!(world.log_of(&room).await.len(), entries);
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_senders_leave_no_gaps_or_duplicates() {
    const EACH: usize = 5;
    let world = World::start().await;
    let Consultation { room, patient, hospital } = world.consultation().await;
    let mut senders = vec![patient, hospital];
    senders.push(world.connect(&testkit::people::patient()).await);
    senders.push(world.connect(&testkit::people::coordinator()).await);
    let acknowledged = join_all(senders.iter_mut().enumerate().map(async |(sender, client)| {
        let mut acknowledged = Vec::new();
        for number in 0..EACH {
            let text = format!("{sender}-{number}");
            // A client repeats the same `message_id` until it gets a reply.
            let id = fresh_id();
            loop {
                let answer = client.request("sendMessage", send(&room, &id, &text)).await;
                if answer["type"] == "reply" {
                    acknowledged.push((answer["seq"].as_u64().unwrap(), text));
                    break;
                }
                assert_eq!(answer["code"], "rate_limited", "{answer}");
            }
        }
        acknowledged
    }))
    .await;

    let log = world.log_of(&room).await;
    let seqs: Vec<_> = log.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=1 + (senders.len() * EACH) as u64).collect::<Vec<_>>(), "1..n without gaps");
    for (seq, text) in acknowledged.into_iter().flatten() {
        assert_eq!(log[usize::try_from(seq).unwrap() - 1]["message"], text, "{seq} is what was acknowledged");
    }
    let times: Vec<_> = log.iter().map(|row| row["sent_at"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "sent_at never decreases within a room: {times:?}");
}
