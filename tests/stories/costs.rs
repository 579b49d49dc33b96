//! The bill of one message, measured. A change that makes a message dearer fails here, and then the numbers are
//! changed with open eyes.

use end_to_end::{Consultation, World};
use local_gateway::ledger::Counts;
use serde_json::{Value, json};

/// What the functions did between two moments, as `{function: {invocations, pushes, calls: {call: [times, read units,
/// write units]}}}`.
fn bill(before: &Counts, after: &Counts) -> Value {
    let mut since = after - before;
    since.functions.remove(local_gateway::ledger::OUTSIDE);
    let functions = since.functions.iter().map(|(name, counts)| {
        let calls: serde_json::Map<String, Value> = counts
            .calls
            .iter()
            .map(|(call, counts)| (call.clone(), json!([counts.calls, counts.read_units, counts.write_units])))
            .collect();
        (name.clone(), json!({"invocations": counts.invocations, "pushes": counts.pushes, "calls": calls}))
    });
    Value::Object(functions.collect())
}

/// A consultation in which everything is warm: secrets are read, profiles written, and each side has said something.
async fn warm(world: &World) -> Consultation {
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for side in [&mut patient, &mut hospital] {
        side.say(&room, "はい").await;
        world.settled().await;
        side.rest().await;
    }
    Consultation { room, patient, hospital }
}

/// The bill of one more text of the patient's.
async fn bill_of_a_text(world: &World, consultation: &mut Consultation, text: &str) -> Value {
    let before = world.gateway.ledger().snapshot();
    consultation.patient.say(&consultation.room, text).await;
    world.settled().await;
    bill(&before, &world.gateway.ledger().snapshot())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_between_two_people_costs_exactly_this() {
    let world = World::start().await;
    let mut consultation = warm(&world).await;
    let bill = bill_of_a_text(&world, &mut consultation, "頭が痛いです。").await;
    println!("{bill:#}");
    assert_eq!(bill, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_costs_the_same_whatever_else_goes_on() {
    let world = World::with(|options| {
        // What is said here in a second takes people minutes.
        options.parameters.insert("SendWindowMs".to_owned(), "0".to_owned());
    })
    .await;
    let mut consultation = warm(&world).await;
    let alone = bill_of_a_text(&world, &mut consultation, "頭が痛いです。").await;

    // A hospital with many consultations, a room with a long log, and thousands of connections of others.
    for number in 0..30 {
        let room = json!({"kind": "consult", "user_id": format!("patient-{number}")});
        consultation.hospital.ask("createRoom", room).await;
    }
    for number in 0..30 {
        consultation.hospital.say(&consultation.room, &format!("번호 {number}")).await;
    }
    let model = world.rows("ConnectionsTable").await.pop().expect("a connection");
    let others = (0..2_000).map(|number| {
        let mut row = model.clone();
        row["audience"] = json!(format!("user:other-{number}"));
        row["connection_id"] = json!(format!("other-{number}="));
        row
    });
    world.put("ConnectionsTable", others).await;
    world.settled().await;
    let crowded = bill_of_a_text(&world, &mut consultation, "お腹が痛いです。").await;
    assert_eq!(crowded, alone);
}
