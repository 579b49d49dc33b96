//! The cost of one message: AWS calls, DynamoDB units, invocations, pushes and DeepL characters. A change that makes a
//! message more expensive fails here, so that the numbers change only on purpose.
//!
//! `cargo test --workspace -- --nocapture costs` prints them.

use std::collections::BTreeSet;
use std::time::Duration;

use end_to_end::{Consultation, Person, World, in_time};
use local_gateway::ledger::{Counts, OUTSIDE};
use serde_json::{Value, json};

struct Bill {
    counts: Counts,
    billed_characters: u64,
}

impl Bill {
    /// The cost of an action and everything that follows from it.
    async fn of(world: &World, action: impl AsyncFnOnce()) -> Self {
        let before = world.gateway.ledger().snapshot();
        let characters = world.translator.requests().billed_characters;
        action().await;
        world.settled().await;
        let mut counts = &world.gateway.ledger().snapshot() - &before;
        counts.functions.remove(OUTSIDE);
        Self { counts, billed_characters: world.translator.requests().billed_characters - characters }
    }

    /// `{function: {invocations, pushes, call: [times, read units, write units], …}}`.
    fn by_function(&self) -> Value {
        let functions = self.counts.functions.iter().map(|(function, counts)| {
            let mut lines = json!({"invocations": counts.invocations, "pushes": counts.pushes});
            for (call, counts) in &counts.calls {
                lines[call] = json!([counts.calls, counts.read_units, counts.write_units]);
            }
            (function.clone(), lines)
        });
        Value::Object(functions.collect())
    }

    fn total(&self) -> Value {
        let total = self.counts.total();
        json!({
            "invocations": total.invocations,
            "pushes": total.pushes,
            "calls": total.calls.values().map(|counts| counts.calls).sum::<u64>(),
            "read units": total.read_units(),
            "write units": total.write_units(),
            "DeepL characters": self.billed_characters,
        })
    }

    fn print(&self, title: &str) {
        println!("{title}: {}", self.total());
        for (function, counts) in &self.counts.functions {
            println!("  {function}: {} invocations, {} pushes", counts.invocations, counts.pushes);
            for (call, counts) in &counts.calls {
                let units = format!("{} read units, {} write units", counts.read_units, counts.write_units);
                println!("    {} × {call}: {units}", counts.calls);
            }
        }
    }
}

/// A consultation in a warm stack: secrets are loaded, profiles are written, and each side has said something that the
/// other has read.
async fn warm(world: &World) -> Consultation {
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for (side, text) in [(&mut patient, "はい"), (&mut hospital, "네")] {
        side.say(&room, text).await;
    }
    for side in [&mut patient, &mut hospital] {
        side.ask("markRead", json!({"room_id": room, "seq": 3})).await;
    }
    world.settled().await;
    Consultation { room, patient, hospital }
}

/// The cost of one more text of the patient. On a busy machine the express lane may leave a text to the stream; then
/// the next one is measured. `text` returns a different text of the same length for each number.
async fn bill_of_a_text(world: &World, consultation: &mut Consultation, text: impl Fn(usize) -> String) -> Bill {
    let mut number = 0;
    in_time(Duration::from_secs(1), async |_| {
        number += 1;
        let text = text(number);
        // Right after another text, the writer's bucket costs a second call.
        world.settled().await;
        world.refill_rate_limits().await;
        let bill = Bill::of(world, async || {
            // On AWS the stream is slower than the express lane.
            world.gateway.streams().pause();
            consultation.patient.say(&consultation.room, &text).await;
            world.gateway.streams().resume();
        });
        let bill = bill.await;
        let of_sending = bill.counts.functions["SendMessageFunction"].calls.keys();
        of_sending.into_iter().any(|call| call == MARK).then_some(bill)
    })
    .await
}

/// The recorded cost of every action.
const COSTS: &str = "tests/costs.json";

/// The call with which the express lane records which connections took a message in time.
const MARK: &str = "dynamodb:UpdateItem SendsTable";

fn symptoms(number: usize) -> String {
    format!("{number:02}日前から頭が痛くて、熱もあります。")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_costs_exactly_this() {
    let world = World::start().await;
    let mut consultation = warm(&world).await;
    let bill = bill_of_a_text(&world, &mut consultation, symptoms).await;
    bill.print("One message between two people, translated once");
    assert_eq!(
        bill.by_function(),
        json!({
            // Five concurrent reads, two of them of the audience, and one transaction. Then the push, and the record of
            // which connections took it.
            "SendMessageFunction": {
                "invocations": 1, "pushes": 1,
                "dynamodb:GetItem MembersTable": [1, 1.0, 0.0],
                "dynamodb:GetItem RoomsTable": [1, 1.0, 0.0],
                "dynamodb:Query ConnectionsTable": [2, 2.0, 0.0],
                "dynamodb:Query MessagesTable": [1, 1.0, 0.0],
                "dynamodb:UpdateItem SendsTable": [1, 0.0, 1.0],
                "dynamodb:TransactWriteItems MessagesTable+SendsTable": [1, 0.0, 4.0],
            },
            // Once for the message, which was already pushed, and once for its translation.
            "FanOutFunction": {
                "invocations": 2, "pushes": 1,
                "dynamodb:BatchGetItem SendsTable": [1, 0.5, 0.0],
                "dynamodb:Query MembersTable": [2, 1.0, 0.0],
                "dynamodb:Query ConnectionsTable": [4, 4.0, 0.0],
                "dynamodb:UpdateItem RoomsTable": [1, 0.0, 1.0],
                "dynamodb:UpdateItem MembersTable": [1, 0.0, 1.0],
            },
            "AutoTranslateFunction": {
                "invocations": 1, "pushes": 0,
                "dynamodb:BatchGetItem UsageTable": [1, 1.5, 0.0],
                "dynamodb:GetItem RoomsTable": [1, 1.0, 0.0],
                "dynamodb:Query MessagesTable": [1, 1.0, 0.0],
                "dynamodb:BatchGetItem TranslationsTable": [1, 1.0, 0.0],
                "dynamodb:UpdateItem GuardsTable": [1, 0.0, 1.0],
                "dynamodb:PutItem TranslationsTable": [1, 0.0, 1.0],
                "dynamodb:UpdateItem MessagesTable": [1, 0.0, 1.0],
                // The hospital's month and the stack's day.
                "dynamodb:UpdateItem UsageTable": [2, 0.0, 2.0],
            },
        })
    );
    assert_eq!(
        bill.total(),
        json!({
            "invocations": 4, "pushes": 2, "calls": 25, "read units": 15.0, "write units": 12.0,
            "DeepL characters": symptoms(1).chars().count(),
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_costs_five_reads() {
    let world = World::start().await;
    let mut consultation = warm(&world).await;
    let message =
        json!({"room_id": consultation.room, "message": "はい、そうです", "message_id": uuid::Uuid::new_v4()});
    consultation.patient.ask("sendMessage", message.clone()).await;
    world.settled().await;
    let bill = Bill::of(&world, async || {
        consultation.patient.ask("sendMessage", message).await;
    })
    .await;
    bill.print("The same message once more");
    assert_eq!(
        bill.total(),
        json!({
            "invocations": 1, "pushes": 0, "calls": 6, "read units": 5.0, "write units": 0.0, "DeepL characters": 0,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_text_is_billed_once_per_hospital() {
    let world = World::start().await;
    let mut bills = Vec::new();
    for user in ["aiko", "hana", "yuki"] {
        let mut patient = world.connect(&Person::user(user, "患者", "ja")).await;
        let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        let room = reply["room"]["room_id"].as_str().expect("an id");
        world.settled().await;
        let bill = Bill::of(&world, async || {
            patient.say(room, "予約したいです。").await;
        })
        .await;
        bill.print(&format!("The first words of {user}"));
        bills.push(bill.billed_characters);
    }
    assert_eq!(bills, [8, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn message_cost_is_independent_of_load() {
    let world = World::with(|options| {
        // People would need minutes for what is said here in a second.
        options.parameters.insert("SendWindowMs".to_owned(), "0".to_owned());
    })
    .await;
    let mut consultation = warm(&world).await;
    let alone = bill_of_a_text(&world, &mut consultation, symptoms).await;

    // A hospital with many consultations, a room with a long log, and thousands of other connections.
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
    consultation.patient.ask("markRead", json!({"room_id": consultation.room, "seq": 1_000})).await;
    world.settled().await;
    let stomach = |number: usize| format!("{number:02}日前からお腹が痛いです。");
    let crowded = bill_of_a_text(&world, &mut consultation, stomach).await;
    assert_eq!(crowded.by_function(), alone.by_function());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_costs_what_is_recorded() {
    let setup = measure::stack::Setup::of(&end_to_end::root().join("template.yaml"), &end_to_end::binaries().await);
    let file = end_to_end::root().join(COSTS);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("the file is there")).expect("JSON");
    let mut confirmed = BTreeSet::new();
    in_time(Duration::from_secs(1), async |_| {
        let counts = measure::costs::counts(&setup).await.unwrap_or_else(|error| panic!("{error}"));
        let counts = counts.as_object().expect("an object");
        let actions: BTreeSet<&String> = kept.as_object().expect("an object").keys().collect();
        assert_eq!(counts.keys().collect::<BTreeSet<_>>(), actions);
        for (action, counts) in counts {
            // If the express lane was late, the row is measured again.
            let depends_on_time = kept[action]["SendMessageFunction"].get(MARK).is_some();
            if *counts == kept[action] {
                confirmed.insert(action.clone());
            } else if depends_on_time {
                eprintln!("{action}: {counts} instead of {}", kept[action]);
            } else {
                assert_eq!(*counts, kept[action], "{action}; if this is intended: cargo measure --counts {COSTS}");
            }
        }
        (confirmed.len() == actions.len()).then_some(())
    })
    .await;
}
