//! Nothing acknowledged is lost, doubled or out of order, whatever fails: the checker's short run. And the checker can
//! fail: with each of the planted defects it finds what the defect breaks.

use std::time::Duration;

use checker::judge::Kind;
use checker::{Options, Verdict, plans, run};
use end_to_end::{TOKEN_SECRET, World};
use local_gateway::faults::{Chance, Plan, Sabotage};
use local_gateway::{Limits, Timing};
use tokio::sync::Semaphore;

/// One run at a time: each has dozens of processes, and several at once would mostly wait for each other.
static TURN: Semaphore = Semaphore::const_new(1);

/// Runs the checker against a stack with AWS's own limits.
async fn check(options: Options) -> Verdict {
    check_within(Limits::default(), options).await
}

/// Runs the checker against a stack with these limits, whose stream readers do not wait as long as AWS's.
async fn check_within(limits: Limits, options: Options) -> Verdict {
    let _turn = TURN.acquire().await.expect("nobody closes it");
    let world = World::with(|stack| {
        // The clients write faster than people do.
        stack.parameters.insert("SendWindowMs".to_owned(), "0".to_owned());
        stack.parameters.insert("CostlyPerMinute".to_owned(), "0".to_owned());
        stack.limits = limits;
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
    Options { seed, rooms: 5, sends: 100, ..Options::default() }
}

fn planted(change: impl FnOnce(&mut Sabotage)) -> Plan {
    let mut sabotage = plans::sabotage();
    change(&mut sabotage);
    Plan { sabotage, ..Plan::default() }
}

#[tokio::test]
async fn promises_hold_under_all_faults() {
    // Connections last for seconds, and end sooner where nothing is said for almost as long as from heart beat to heart beat.
    let limits = Limits { idle: Duration::from_secs(4), longest: Duration::from_secs(10), ..Limits::default() };
    let verdict = check_within(limits, Options { faults: plans::everything(7), rooms: 10, ..short(7) }).await;
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.is_whole(), "{verdict}");
    assert!(verdict.faults.values().sum::<u64>() > 0, "{verdict}");
}

#[tokio::test]
async fn open_connections_get_every_push_under_faults() {
    let verdict = check(Options { faults: plans::everything_but_lost_frames(8), ..short(8) }).await;
    assert!(verdict.holds() && verdict.is_whole(), "{verdict}");
    assert!(verdict.faults.values().sum::<u64>() > 0, "{verdict}");
}

#[tokio::test]
async fn truncated_run_gives_no_verdict() {
    let verdict = check(Options { time_limit: Duration::ZERO, ..short(9) }).await;
    assert!(verdict.holds() && !verdict.is_whole(), "{verdict}");
    let said = verdict.to_string();
    assert!(said.contains("verdict       none: of 100 messages only ") && !said.contains("kept"), "{said}");
}

#[tokio::test]
async fn finds_ignored_idempotency_records() {
    let faults = planted(|sabotage| sabotage.sends_ignored = true);
    // Every message is sent twice before its reply can have come.
    let verdict = check(Options { faults, impatience: 1.0, ..short(1) }).await;
    assert!(verdict.kinds().contains_key(&Kind::Doubled), "{verdict}");
}

#[tokio::test]
async fn finds_unconditional_appends() {
    let mut faults = planted(|sabotage| sabotage.numbers_unguarded = true);
    // Between the look at the tail and the put there is time for others to look at the same tail.
    faults.dynamodb.operations.insert("TransactWriteItems".to_owned());
    faults.dynamodb.slow = Chance::of(1.0).for_ms(100..=100);
    let verdict = check(Options { faults, ..short(2) }).await;
    assert!(verdict.kinds().contains_key(&Kind::AcknowledgedLost), "{verdict}");
}

#[tokio::test]
async fn finds_dropped_batch_item_failures() {
    let mut faults = planted(|sabotage| sabotage.failures_dropped = true);
    // Fan-out can neither read nor write while messages are sent.
    plans::fail_fan_out(&mut faults, 1.0);
    let verdict = check(Options { faults, ..short(3) }).await;
    assert!(verdict.kinds().contains_key(&Kind::Head), "{verdict}");
}

#[tokio::test]
async fn finds_marks_written_before_pushes() {
    let faults = planted(|sabotage| sabotage.mark_before_push = true);
    // Clients repair what no push brings, so nothing else shows it.
    let verdict = check(Options { faults, storms: 0, ..short(4) }).await;
    assert_eq!(verdict.kinds().into_keys().collect::<Vec<_>>(), [Kind::NeverPushed], "{verdict}");
}
