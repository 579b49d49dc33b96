//! Short runs of the checker: nothing acknowledged is lost, duplicated or reordered, whatever fails. And the checker
//! finds what each planted defect breaks.

use std::time::Duration;

use checker::judge::Kind;
use checker::mutations::Mutation;
use checker::{Options, Verdict, plans, run};
use end_to_end::{DEADLINE, TOKEN_SECRET, World, in_time, is_count_of};
use local_gateway::faults::{Chance, Plan};
use local_gateway::{Limits, LogLine, Timing};
use tokio::sync::Semaphore;

/// Two runs at a time: each starts dozens of processes, and more would mostly wait for each other.
static TURN: Semaphore = Semaphore::const_new(2);

/// Runs the checker against a stack with the limits of AWS.
async fn check(options: Options) -> Verdict {
    check_stack(Limits::default(), None, options).await.0
}

/// Runs the checker against a stack with a defect.
async fn check_mutant(mutation: Mutation, options: Options) -> Verdict {
    check_stack(Limits::default(), Some(mutation), options).await.0
}

/// Runs the checker against a stack with these limits and stream readers that retry sooner than on AWS. Also returns
/// what the functions logged.
async fn check_stack(limits: Limits, mutation: Option<Mutation>, options: Options) -> (Verdict, Vec<LogLine>) {
    let _turn = TURN.acquire().await.expect("the semaphore is never closed");
    let world = World::with(|stack| {
        // The clients write faster than people.
        for parameter in ["SendWindowMs", "CostlyPerMinute", "RequestsPerMinute"] {
            stack.parameters.insert(parameter.to_owned(), "0".to_owned());
        }
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
    let verdict = run(&world.gateway, TOKEN_SECRET, &options, |_| ()).await;
    (verdict.unwrap_or_else(|error| panic!("no verdict: {error}")), world.end().await)
}

/// A short run with few rooms, so that many clients write in each of them.
fn short(seed: u64) -> Options {
    Options { seed, rooms: 5, messages: 100, time_limit: DEADLINE * 5, ..Options::default() }
}

#[tokio::test]
async fn promises_hold_under_all_faults() {
    // Connections last for seconds; an idle one is closed after about one heartbeat.
    let limits = Limits { idle: Duration::from_secs(4), longest: Duration::from_secs(10), ..Limits::default() };
    let faulty = Options { faults: plans::everything(7), rooms: 10, ..short(7) };
    let (verdict, _) = check_stack(limits, None, faulty).await;
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.is_complete(), "{verdict}");
    assert!(verdict.faults.values().sum::<u64>() > 0, "{verdict}");
}

#[tokio::test]
async fn open_connections_get_every_push_under_faults() {
    // A push may take one second. If the machine is too busy for that, the attempt is repeated.
    in_time(Duration::from_secs(1), async |_| {
        let options = Options { faults: plans::everything_but_lost_frames(8), ..short(8) };
        let (verdict, logged) = check_stack(Limits::default(), None, options).await;
        let is_late = logged.iter().any(|line| is_count_of(line, "PushDropped"));
        if is_late && verdict.kinds().into_keys().eq([Kind::NeverPushed]) {
            return None;
        }
        assert!(verdict.holds() && verdict.is_complete(), "{verdict}");
        assert!(verdict.faults.values().sum::<u64>() > 0, "{verdict}");
        Some(())
    })
    .await;
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
    // Every message is sent twice before its reply can arrive.
    let verdict =
        check_mutant(Mutation::IdempotencyIgnored, Options { early_retry_probability: 1.0, ..short(1) }).await;
    assert!(verdict.kinds().contains_key(&Kind::DuplicateMessage), "{verdict}");
}

#[tokio::test]
async fn finds_unconditional_appends() {
    let mut faults = Plan::default();
    // Between reading the tail and the write, other senders read the same tail.
    faults.dynamodb.operations.insert("TransactWriteItems".to_owned());
    faults.dynamodb.slow = Chance::of(1.0).for_ms(100..=100);
    let verdict = check_mutant(Mutation::UnconditionalAppend, Options { faults, ..short(2) }).await;
    assert!(verdict.kinds().contains_key(&Kind::LostAcknowledged), "{verdict}");
}

#[tokio::test]
async fn finds_dropped_batch_item_failures() {
    let mut faults = Plan::default();
    // All of fan-out's reads and writes fail while messages are sent.
    plans::fail_fan_out(&mut faults, 1.0);
    let verdict = check_mutant(Mutation::FailuresDropped, Options { faults, ..short(3) }).await;
    assert!(verdict.kinds().contains_key(&Kind::RoomHead), "{verdict}");
}

#[tokio::test]
async fn finds_marks_written_before_pushes() {
    // Clients recover from missing pushes, so that nothing else is violated.
    let verdict = check_mutant(Mutation::MarkBeforePush, Options { mass_disconnects: 0, ..short(4) }).await;
    assert_eq!(verdict.kinds().into_keys().collect::<Vec<_>>(), [Kind::NeverPushed], "{verdict}");
}
