//! Nothing acknowledged is lost, doubled or out of order, whatever fails: the checker's short run. And the checker can
//! fail: with each of the planted defects it finds what the defect breaks.

use std::time::Duration;

use checker::judge::Kind;
use checker::mutations::Mutation;
use checker::{Options, Verdict, plans, run};
use end_to_end::{TOKEN_SECRET, World};
use local_gateway::faults::{Chance, Plan};
use local_gateway::{Limits, Timing};
use tokio::sync::Semaphore;

/// One run at a time: each has dozens of processes, and several at once would mostly wait for each other.
static TURN: Semaphore = Semaphore::const_new(1);

/// Runs the checker against a stack with AWS's own limits.
async fn check(options: Options) -> Verdict {
    check_stack(Limits::default(), None, options).await
}

/// Runs the checker against a stack with a defect.
async fn check_mutant(mutation: Mutation, options: Options) -> Verdict {
    check_stack(Limits::default(), Some(mutation), options).await
}

/// Runs the checker against a stack with these limits, whose stream readers do not wait as long as AWS's.
async fn check_stack(limits: Limits, mutation: Option<Mutation>, options: Options) -> Verdict {
    let _turn = TURN.acquire().await.expect("nobody closes it");
    let world = World::with(|stack| {
        // The clients write faster than people do.
        stack.parameters.insert("SendWindowMs".to_owned(), "0".to_owned());
        stack.parameters.insert("CostlyPerMinute".to_owned(), "0".to_owned());
        stack.limits = limits;
        if let Some(mutation) = mutation {
            stack.interceptor = mutation.interceptor();
        }
        stack.streams = Timing {
            first_retry: Duration::from_millis(20),
            longest_retry: Duration::from_millis(200),
            ..Timing::default()
        };
    })
    .await;
    run(&world.gateway, TOKEN_SECRET, &options, |_| ()).await.unwrap_or_else(|error| panic!("no verdict: {error}"))
}

/// A small run: few rooms, so that many write in each at once.
fn short(seed: u64) -> Options {
    Options { seed, rooms: 5, messages: 100, ..Options::default() }
}

#[tokio::test]
async fn promises_hold_under_all_faults() {
    // Connections last for seconds, and end sooner where nothing is said for almost as long as from heart beat to heart beat.
    let limits = Limits { idle: Duration::from_secs(4), longest: Duration::from_secs(10), ..Limits::default() };
    let verdict = check_stack(limits, None, Options { faults: plans::everything(7), rooms: 10, ..short(7) }).await;
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.is_complete(), "{verdict}");
    assert!(verdict.faults.values().sum::<u64>() > 0, "{verdict}");
}

#[tokio::test]
async fn open_connections_get_every_push_under_faults() {
    let verdict = check(Options { faults: plans::everything_but_lost_frames(8), ..short(8) }).await;
    assert!(verdict.holds() && verdict.is_complete(), "{verdict}");
    assert!(verdict.faults.values().sum::<u64>() > 0, "{verdict}");
}

#[tokio::test]
async fn truncated_run_gives_no_verdict() {
    let verdict = check(Options { time_limit: Duration::ZERO, ..short(9) }).await;
    assert!(verdict.holds() && !verdict.is_complete(), "{verdict}");
    let said = verdict.to_string();
    assert!(said.contains("none: only ") && said.contains(" of 100 messages") && !said.contains("kept"), "{said}");
}

#[tokio::test]
async fn finds_ignored_idempotency_records() {
    // Every message is sent twice before its reply can have come.
    let verdict =
        check_mutant(Mutation::IdempotencyIgnored, Options { early_retry_probability: 1.0, ..short(1) }).await;
    assert!(verdict.kinds().contains_key(&Kind::DuplicateMessage), "{verdict}");
}

#[tokio::test]
async fn finds_unconditional_appends() {
    let mut faults = Plan::default();
    // Between the look at the tail and the put there is time for others to look at the same tail.
    faults.dynamodb.operations.insert("TransactWriteItems".to_owned());
    faults.dynamodb.slow = Chance::of(1.0).for_ms(100..=100);
    let verdict = check_mutant(Mutation::UnconditionalAppend, Options { faults, ..short(2) }).await;
    assert!(verdict.kinds().contains_key(&Kind::LostAcknowledged), "{verdict}");
}

#[tokio::test]
async fn finds_dropped_batch_item_failures() {
    let mut faults = Plan::default();
    // Fan-out can neither read nor write while messages are sent.
    plans::fail_fan_out(&mut faults, 1.0);
    let verdict = check_mutant(Mutation::FailuresDropped, Options { faults, ..short(3) }).await;
    assert!(verdict.kinds().contains_key(&Kind::RoomHead), "{verdict}");
}

#[tokio::test]
async fn finds_marks_written_before_pushes() {
    // Clients repair what no push brings, so nothing else shows it.
    let verdict = check_mutant(Mutation::MarkBeforePush, Options { mass_disconnects: 0, ..short(4) }).await;
    assert_eq!(verdict.kinds().into_keys().collect::<Vec<_>>(), [Kind::NeverPushed], "{verdict}");
}
