//! Faults in what readers deliver.

use super::*;
use crate::faults::{Chance, Kind, Latencies, Latency, Plan, Sabotage, Streams as Chances};

const REPORTS: &str = "FunctionResponseTypes: [ReportBatchItemFailures]";

/// A world whose first batch is `a b c d`, and faults for its readers.
async fn world(streams: Chances) -> (World, Faults) {
    let world = World::with(REPORTS, "").await;
    world.put("a b c d", "text").await;
    let faults = Faults::of(&world.template, Plan { streams, ..Plan::default() }).unwrap();
    (world, faults)
}

#[tokio::test]
async fn a_doubled_batch_comes_again_later_and_idle_waits_for_it() {
    let (world, faults) = world(Chances { doubled: Chance::once().for_ms(30..=60), ..Chances::default() }).await;
    let recorder = Recorder::default();
    let streams = world.start_under(&recorder, faults.clone()).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "a b c d"]);
    world.put("e", "text").await;
    streams.idle().await;
    assert_eq!(recorder.batches("First")[2..], ["e"]);
    assert_eq!(faults.counts(), BTreeMap::from([(Kind::StreamDoubled, 1)]));
}

#[tokio::test]
async fn a_doubled_batch_does_not_hold_up_later_ones() {
    let (world, faults) = world(Chances { doubled: Chance::once().for_ms(0..=0), ..Chances::default() }).await;
    world.put("e f g h", "text").await;
    let invoker = Overtaken::default();
    let timing = Timing::default();
    let streams = Streams::start(&world.template, world.database.clone(), invoker.clone(), timing, None, faults);
    streams.await.unwrap().idle().await;
    let mut batches = invoker.recorder.batches("First");
    batches.sort();
    assert_eq!(batches, ["a b c d", "a b c d", "e f g h"]);
}

#[tokio::test]
async fn a_record_is_delivered_no_earlier_than_on_aws_and_what_is_written_meanwhile_goes_along() {
    let world = World::with(REPORTS, "").await;
    let hop = Latency { p50_ms: 300.0, p99_ms: 300.0, source: "a test".into() };
    let latencies = Some(Latencies { stream_hop: Some(hop), ..Latencies::default() });
    let faults = Faults::of(&world.template, Plan { latencies, ..Plan::default() }).unwrap();
    let recorder = Recorder::default();
    let streams = world.start_under(&recorder, faults).await;
    let begun = std::time::Instant::now();
    world.put("a b", "text").await;
    world.put("c", "text").await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c"]);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

/// Answers the second `a b c d` only once `e f g h` was delivered.
#[derive(Clone, Default)]
struct Overtaken {
    recorder: Recorder,
    overtaken: Arc<tokio::sync::Notify>,
}

impl Invoker for Overtaken {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let has_e = String::from_utf8_lossy(&payload).contains(r#""id":{"S":"e"}"#);
        let again = !has_e && !self.recorder.batches(logical_id).is_empty();
        let answer = self.recorder.invoke(logical_id, payload).await;
        if has_e {
            self.overtaken.notify_one();
        }
        if again {
            self.overtaken.notified().await;
        }
        answer
    }
}

#[tokio::test]
async fn a_part_of_a_batch_comes_again() {
    let (world, faults) = world(Chances { split: Chance::once().for_ms(0..=0), ..Chances::default() }).await;
    let recorder = Recorder::default();
    world.start_under(&recorder, faults).await.idle().await;
    let batches = recorder.batches("First");
    assert_eq!(batches.len(), 2);
    assert!(batches[0] != batches[1] && batches[0].contains(&batches[1]), "{batches:?}");
}

#[tokio::test]
async fn what_a_function_says_to_a_repetition_changes_nothing() {
    let (world, faults) = world(Chances { doubled: Chance::once().for_ms(0..=0), ..Chances::default() }).await;
    let recorder = Recorder::answering([Answer::Says(Value::Null), Answer::Fails]);
    let streams = world.start_under(&recorder, faults).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "a b c d"]);
    assert!(streams.given_up().is_empty());
}

#[tokio::test]
async fn nothing_is_repeated_while_readers_are_paused() {
    let (pending, paused, recorder) = (Living::none_yet(), watch::Sender::new(true), Recorder::default());
    let mut repeats = Repeats::counted_by(pending.clone());
    let batch = Bytes::from(json!({ "Records": [{ "dynamodb": { "Keys": { "id": { "S": "a" } } } }] }).to_string());
    repeats.later(Duration::ZERO, recorder.clone(), "First".into(), batch, paused.subscribe());
    assert!(tokio::time::timeout(Duration::from_millis(50), pending.ended()).await.is_err());
    assert!(recorder.batches("First").is_empty());
    paused.send_replace(false);
    pending.ended().await;
    assert_eq!(recorder.batches("First"), ["a"]);
}

#[tokio::test]
async fn a_late_batch_holds_up_those_behind_it() {
    let (world, faults) = world(Chances { late: Chance::once().for_ms(300..=300), ..Chances::default() }).await;
    world.put("e", "text").await;
    let (recorder, begun) = (Recorder::default(), std::time::Instant::now());
    world.start_under(&recorder, faults).await.idle().await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(recorder.batches("First"), ["a b c d", "e"]);
}

#[tokio::test]
async fn two_parts_of_a_batch_run_at_once_and_together_are_the_batch() {
    let (world, faults) = world(Chances { parallel: Chance::once(), ..Chances::default() }).await;
    let meeting = Meeting { recorder: Recorder::default(), barrier: Arc::new(tokio::sync::Barrier::new(2)) };
    let timing = Timing::default();
    let streams = Streams::start(&world.template, world.database.clone(), meeting.clone(), timing, None, faults);
    streams.await.unwrap().idle().await;
    let batches = meeting.recorder.batches("First");
    assert_eq!((batches.len(), batches.join(" ").as_str()), (2, "a b c d"));
}

/// Answers only once two invocations run.
#[derive(Clone)]
struct Meeting {
    recorder: Recorder,
    barrier: Arc<tokio::sync::Barrier>,
}

impl Invoker for Meeting {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let answer = self.recorder.invoke(logical_id, payload).await;
        self.barrier.wait().await;
        answer
    }
}

#[tokio::test]
async fn each_of_two_parts_is_retried_by_itself_and_the_first_is_done_first() {
    let (world, faults) = world(Chances { parallel: Chance::once(), ..Chances::default() }).await;
    let recorder = Recorder::answering([Answer::Fails, Answer::Fails]);
    let streams = world.start_under(&recorder, faults).await;
    streams.idle().await;
    let batches = recorder.batches("First");
    assert_eq!(batches.len(), 4);
    assert_eq!(batches[..2], batches[2..]);
    assert_eq!(batches[..2].join(" "), "a b c d");
    assert!(streams.given_up().is_empty());
}

#[tokio::test]
async fn every_fault_at_once_loses_no_record() {
    let world = World::with(REPORTS, SECOND).await;
    let faults = Faults::of(&world.template, Plan::every_kind(5, 0.4)).unwrap();
    let recorder = Recorder::default();
    let streams = world.start_under(&recorder, faults).await;
    let ids: Vec<String> = (0..60).map(|number| format!("r{number}")).collect();
    for some in ids.chunks(7) {
        world.put(&some.join(" "), "text").await;
    }
    streams.idle().await;
    for function in ["First", "Second"] {
        let delivered = recorder.batches(function).join(" ");
        let delivered: Vec<&str> = delivered.split(' ').collect();
        assert!(delivered.len() > ids.len(), "nothing was doubled");
        for id in &ids {
            assert!(delivered.contains(&id.as_str()), "{id} never reached {function}");
        }
    }
}

#[tokio::test]
async fn failures_that_are_dropped_count_as_done() {
    let world = World::with(REPORTS, "").await;
    world.put("a b c d", "text").await;
    world.put("e", "text").await;
    let sabotage = Sabotage { failures_dropped: true, ..Sabotage::default() };
    let faults = Faults::of(&world.template, Plan { sabotage, ..Plan::default() }).unwrap();
    let recorder = Recorder::answering([Answer::Reports(&["b"]), Answer::Fails]);
    let streams = world.start_under(&recorder, faults).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "e"]);
    assert!(streams.given_up().is_empty());
}
