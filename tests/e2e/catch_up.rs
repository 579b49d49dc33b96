//! A client that was disconnected catches up by `seq`, with `sync` or with `after_seq`.

use std::collections::BTreeMap;

use end_to_end::{Client, Consultation, World};
use serde_json::{Value, json};

fn seqs(messages: &Value) -> Vec<u64> {
    messages.as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

/// Follows `next` to the last page.
async fn pages(client: &mut Client, first: Value) -> Vec<Value> {
    let room = first["room_id"].clone();
    let mut request = first;
    let mut pages = Vec::new();
    loop {
        let page = client.ask("getChatHistory", request).await;
        let next = page["next"].clone();
        let has_more = page["has_more"] == true;
        pages.push(page);
        if !has_more {
            return pages;
        }
        request = next;
        request["room_id"] = room.clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_returns_exactly_the_missed_entries() {
    let world = World::start().await;
    let Consultation { room, patient, mut hospital } = world.consultation().await;
    let seen = hospital.say(&room, "네").await;
    patient.leave().await;
    for text in ["하나", "둘", "셋"] {
        hospital.say(&room, text).await;
    }

    let mut patient = world.connect(&testkit::people::patient()).await;
    let synced = patient.ask("sync", json!({"rooms": {room.as_str(): seen}})).await;
    let missed = &synced["rooms"][0];
    assert_eq!(missed["complete"], true);
    assert_eq!(missed["last_seq"].as_u64(), Some(seen + 3));
    assert_eq!(seqs(&missed["messages"]), [seen + 1, seen + 2, seen + 3]);

    let heartbeat = patient.ask("sync", json!({"rooms": {room.as_str(): seen + 3}})).await;
    assert_eq!(heartbeat["rooms"][0]["messages"], json!([]));
    assert_eq!(heartbeat["rooms"][0]["complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_seq_returns_exactly_the_missed_entries() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for text in ["하나", "둘", "셋", "넷", "다섯"] {
        hospital.say(&room, text).await;
    }
    let pages = pages(&mut patient, json!({"room_id": room, "after_seq": 2, "limit": 2})).await;
    let all: Vec<u64> = pages.iter().flat_map(|page| seqs(&page["messages"])).collect();
    assert_eq!(all, [3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_seq_pages_back_during_writes() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    for number in 1..=6 {
        hospital.say(&room, &format!("{number}")).await;
    }
    let newest = patient.ask("getChatHistory", json!({"room_id": room, "limit": 3})).await;
    assert_eq!(seqs(&newest["messages"]), [5, 6, 7]);
    hospital.say(&room, "나중에").await;
    let older = patient.ask("getChatHistory", json!({"room_id": room, "limit": 3, "before_seq": 5})).await;
    assert_eq!(seqs(&older["messages"]), [2, 3, 4], "new messages do not shift the page");
    let oldest = patient.ask("getChatHistory", json!({"room_id": room, "limit": 3, "before_seq": 2})).await;
    assert_eq!(seqs(&oldest["messages"]), [1]);
    assert_eq!(oldest["has_more"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_sync_is_cut_and_marked_incomplete() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let long = "가나다라마바사아자차".repeat(300);
    for number in 0..5 {
        hospital.say(&room, &format!("{number}{long}")).await;
    }
    let mut have = 0;
    let mut rounds = 0;
    loop {
        let synced = patient.ask("sync", json!({"rooms": {room.as_str(): have}})).await;
        assert!(synced.to_string().len() <= 32 * 1024, "{} bytes", synced.to_string().len());
        let room = &synced["rooms"][0];
        for seq in seqs(&room["messages"]) {
            assert_eq!(seq, have + 1, "in order and without gaps");
            have = seq;
        }
        rounds += 1;
        if room["complete"] == true {
            break;
        }
        assert!(rounds < 20, "each round makes progress");
    }
    assert_eq!(have, 6);
    assert!(rounds > 1, "five messages of nine kilobytes do not fit in one reply");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_sync_completes_every_room() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let mut have: BTreeMap<String, u64> = BTreeMap::new();
    let long = "あいうえお".repeat(400);
    for number in 0..10 {
        let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": format!("h{number}")})).await;
        let room = reply["room"]["room_id"].as_str().unwrap().to_owned();
        patient.say(&room, &format!("{number}{long}")).await;
        have.insert(room, 0);
    }
    let mut rounds = 0;
    loop {
        let synced = patient.ask("sync", json!({"rooms": have})).await;
        assert!(synced.to_string().len() <= 32 * 1024);
        let rooms = synced["rooms"].as_array().unwrap();
        assert_eq!(rooms.len(), have.len(), "each room is answered");
        for room in rooms {
            let known = have.get_mut(room["room_id"].as_str().unwrap()).unwrap();
            for seq in seqs(&room["messages"]) {
                assert_eq!(seq, *known + 1);
                *known = seq;
            }
        }
        rounds += 1;
        if rooms.iter().all(|room| room["complete"] == true) {
            break;
        }
        assert!(rounds < 20, "each round makes progress");
    }
    assert!(have.values().all(|seq| *seq == 2), "{have:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_reads_little_beyond_its_limit() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    // The texts need no translation.
    world.gateway.streams().pause();
    let mut have = serde_json::Map::new();
    for number in 0..20 {
        let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": format!("h{number}")})).await;
        let room = reply["room"]["room_id"].as_str().unwrap().to_owned();
        let seq = patient.say(&room, "はい").await;
        world.write_log(&room, (0..6).map(|_| "あ".repeat(4_000))).await;
        have.insert(room, json!(seq));
    }
    let before = world.gateway.ledger().snapshot();
    let synced = patient.ask("sync", json!({"rooms": have})).await;
    let counts = (&world.gateway.ledger().snapshot() - &before).function("SyncFunction");
    let rooms = synced["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 20);
    for room in rooms {
        assert_eq!((&room["last_seq"], &room["complete"]), (&json!(8), &json!(false)), "every gap is reported");
    }
    assert!(rooms.iter().any(|room| room["messages"] != json!([])), "some room makes progress");
    // An entry of 12 KB is 3 read units: 18 for a whole room, and 3 for its tail.
    let units = counts.calls["dynamodb:Query MessagesTable"].read_units;
    assert!(units < 8.0 * 20.0 + 20.0 * 4.0, "{units} read units; reading all 20 rooms costs more than 360");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_accepts_at_most_50_rooms() {
    let world = World::start().await;
    let mut patient = world.connect(&testkit::people::patient()).await;
    let rooms = |count: usize| {
        (0..count).map(|number| (format!("consult:aiko:h{number}"), json!(0))).collect::<serde_json::Map<_, _>>()
    };
    patient.ask("sync", json!({"rooms": rooms(50)})).await;
    patient.refused("sync", json!({"rooms": rooms(51)}), "bad_request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_heartbeat_replaces_all_lost_pushes() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    // While the stream is paused, nothing is pushed.
    world.gateway.streams().pause();
    for number in 1..=4 {
        hospital.say(&room, &format!("{number}")).await;
    }
    let synced = patient.ask("sync", json!({"rooms": {room.as_str(): 1}})).await;
    assert_eq!(seqs(&synced["rooms"][0]["messages"]), [2, 3, 4, 5]);
    assert_eq!(synced["rooms"][0]["complete"], true);
    assert_eq!(synced["rooms"][0]["last_seq"], 5, "the log is read, not the head, which lags behind");
    world.gateway.streams().resume();
    patient.hears("4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redelivered_batch_changes_nothing() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let seq = hospital.say(&room, "네").await;
    world.settled().await;
    let list = patient.ask("getRoomList", json!({})).await;
    world.gateway.streams().redeliver_last().await;
    world.settled().await;
    let heard = patient.rest().await;
    assert!(heard.iter().filter(|frame| frame["message"] == "네").all(|frame| frame["seq"] == seq));
    let after = patient.ask("getRoomList", json!({})).await;
    assert_eq!(after["rooms"], list["rooms"], "redelivery changes neither head nor counts");
    assert_eq!(world.log_of(&room).await.len(), 2);
}
