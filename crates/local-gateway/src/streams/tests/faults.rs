//! Faults of stream readers.

use super::*;
use crate::faults::{Chance, Kind, Latencies, Latency, Plan, Streams as Chances};
use crate::streams::event::Record;

const REPORTS: &str = "FunctionResponseTypes: [ReportBatchItemFailures]";

/// A world whose first batch is `a b c d`, and faults of its readers.
async fn world(streams: Chances) -> (World, Faults) {
    let world = World::with(REPORTS, "").await;
    world.put("a b c d", "text").await;
    let faults = Faults::of(&world.template, Plan { streams, ..Plan::default() }).unwrap();
    (world, faults)
}

#[tokio::test]
async fn idle_waits_for_duplicates() {
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
async fn duplicates_do_not_delay_later_batches() {
    let (world, faults) = world(Chances { doubled: Chance::once().for_ms(0..=0), ..Chances::default() }).await;
    world.put("e f g h", "text").await;
    let invoker = Overtaken::default();
    world.start_with(&invoker, options(faults)).await.unwrap().idle().await;
    let mut batches = invoker.recorder.batches("First");
    batches.sort();
    assert_eq!(batches, ["a b c d", "a b c d", "e f g h"]);
}

#[tokio::test]
async fn hop_latency_gathers_records_written_meanwhile() {
    let world = World::with(REPORTS, "").await;
    let hop = Latency { p50_ms: 2_000.0, p99_ms: 2_000.0, source: "a test".into() };
    let latencies = Some(Latencies { stream_hop: Some(hop), ..Latencies::default() });
    let faults = Faults::of(&world.template, Plan { latencies, ..Plan::default() }).unwrap();
    let recorder = Recorder::default();
    let streams = world.start_under(&recorder, faults).await;
    let started = std::time::Instant::now();
    world.put("a b", "text").await;
    world.put("c", "text").await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c"]);
    assert!(started.elapsed() >= Duration::from_secs(2));
}

/// Responds to the second `a b c d` only after `e f g h` was delivered.
#[derive(Clone, Default)]
struct Overtaken {
    recorder: Recorder,
    overtaken: Arc<tokio::sync::Notify>,
}

impl Invoker for Overtaken {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Response {
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
async fn part_of_a_batch_is_redelivered() {
    let (world, faults) = world(Chances { split: Chance::once().for_ms(0..=0), ..Chances::default() }).await;
    let recorder = Recorder::default();
    world.start_under(&recorder, faults).await.idle().await;
    let batches = recorder.batches("First");
    assert_eq!(batches.len(), 2);
    assert!(batches[0] != batches[1] && batches[0].contains(&batches[1]), "{batches:?}");
}

#[tokio::test]
async fn responses_to_duplicates_are_ignored() {
    let (world, faults) = world(Chances { doubled: Chance::once().for_ms(0..=0), ..Chances::default() }).await;
    let recorder = Recorder::answering([Answer::Says(Value::Null), Answer::Fails]);
    let streams = world.start_under(&recorder, faults).await;
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "a b c d"]);
    assert!(streams.given_up().is_empty());
}

#[tokio::test]
async fn duplicates_wait_while_paused() {
    let pending = TaskTracker::new();
    pending.close();
    let paused = watch::Sender::new(true);
    let recorder = Recorder::default();
    let inner =
        DirectInvoker { invoker: recorder.clone(), function: "First".into(), interceptor: Arc::new(PassThrough) };
    let mut invoker = FaultyInvoker::new(inner, Faults::none(), paused.subscribe(), pending.clone());
    let event = json!({ "dynamodb": { "Keys": { "id": { "S": "a" } } } });
    invoker.duplicate(&[Record { number: 1, created_at: 0, event, size: 0 }], Duration::ZERO);
    // The duplicate runs on this thread, so it has got as far as it can after a few yields.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!pending.is_empty());
    assert!(recorder.batches("First").is_empty());
    paused.send_replace(false);
    pending.wait().await;
    assert_eq!(recorder.batches("First"), ["a"]);
}

#[tokio::test]
async fn late_batches_delay_later_ones() {
    let (world, faults) = world(Chances { late: Chance::once().for_ms(300..=300), ..Chances::default() }).await;
    world.put("e", "text").await;
    let recorder = Recorder::default();
    let started = std::time::Instant::now();
    world.start_under(&recorder, faults).await.idle().await;
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(recorder.batches("First"), ["a b c d", "e"]);
}

#[tokio::test]
async fn parallel_parts_make_up_the_batch() {
    let (world, faults) = world(Chances { parallel: Chance::once(), ..Chances::default() }).await;
    let meeting = Meeting { recorder: Recorder::default(), barrier: Arc::new(tokio::sync::Barrier::new(2)) };
    world.start_with(&meeting, options(faults)).await.unwrap().idle().await;
    let batches = meeting.recorder.batches("First");
    assert_eq!((batches.len(), batches.join(" ").as_str()), (2, "a b c d"));
}

/// Responds only when two invocations are running.
#[derive(Clone)]
struct Meeting {
    recorder: Recorder,
    barrier: Arc<tokio::sync::Barrier>,
}

impl Invoker for Meeting {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Response {
        let answer = self.recorder.invoke(logical_id, payload).await;
        self.barrier.wait().await;
        answer
    }
}

#[tokio::test]
async fn parallel_parts_are_retried_separately() {
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
async fn all_faults_together_lose_no_record() {
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
        assert!(delivered.len() > ids.len(), "there was no duplicate");
        for id in &ids {
            assert!(delivered.contains(&id.as_str()), "{id} never reached {function}");
        }
    }
}

/// Turns every response into a success.
#[derive(Debug)]
struct AlwaysSuccessful;

impl Interceptor for AlwaysSuccessful {
    fn stream_response(&self, _function: &str, _response: Response) -> Response {
        Ok(Bytes::new())
    }
}

#[tokio::test]
async fn interceptors_change_responses() {
    let world = World::with(REPORTS, "").await;
    world.put("a b c d", "text").await;
    world.put("e", "text").await;
    let recorder = Recorder::answering([Answer::Reports(&["b"]), Answer::Fails]);
    let options = ReaderOptions { interceptor: Arc::new(AlwaysSuccessful), ..options(Faults::none()) };
    let streams = world.start_with(&recorder, options).await.unwrap();
    streams.idle().await;
    assert_eq!(recorder.batches("First"), ["a b c d", "e"]);
    assert!(streams.given_up().is_empty());
}
