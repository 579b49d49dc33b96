//! No policy grants more than necessary: without any one of its grants, a function fails.
//!
//! All [`scenarios`] run once with every grant, while the gateway records which grant allowed which call. Then each
//! grant is revoked in turn, and a scenario that used it runs again. It has to fail: either the client is refused or
//! receives nothing, or the function logs what it was denied.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use end_to_end::{DEADLINE, World, root};
use local_gateway::faults::{Chance, Plan};
use local_gateway::{Grant, LogLine, LogSink, Options, Timing};
use tokio::time::timeout;

mod scenarios;

use scenarios::{Actors, Scenario};

/// How many worlds revoke grants concurrently.
const WORLDS: usize = 2;

/// A world whose functions read nothing at startup, so that every use of a grant belongs to a scenario, and whose
/// stream readers retry soon.
async fn world() -> World {
    world_with(|_| ()).await
}

async fn world_with(change: impl FnOnce(&mut Options)) -> World {
    World::with(|stack| {
        for (parameter, value) in [
            ("WarmInInit", "false"),
            ("TranslationBudget", "40"),
            ("SendWindowMs", "0"),
            ("RequestsPerMinute", "0"),
            ("MuteSeconds", "3600"),
            ("MaxConnections", "2"),
        ] {
            stack.parameters.insert(parameter.to_owned(), value.to_owned());
        }
        stack.log = LogSink::Collect;
        stack.streams = Timing {
            first_retry: Duration::from_millis(20),
            longest_retry: Duration::from_millis(100),
            ..Timing::default()
        };
        change(stack);
    })
    .await
}

/// Runs these scenarios, and returns for each grant those that used it.
async fn run(world: &World, scenarios: &[Scenario]) -> BTreeMap<Grant, Vec<Scenario>> {
    let mut uses: BTreeMap<Grant, Vec<Scenario>> = BTreeMap::new();
    for scenario in scenarios {
        let before = world.gateway.iam().used();
        if let Err(failed) = scenario.run(&Actors::new(world)).await {
            panic!("{scenario:?}: {failed}");
        }
        world.settled().await;
        for (grant, count) in world.gateway.iam().used() {
            if before.get(&grant) != Some(&count) {
                uses.entry(grant).or_default().push(*scenario);
            }
        }
    }
    uses
}

/// Whether a log line says that a function was denied what this grant allows.
fn is_complaint(line: &LogLine, grant: &Grant) -> bool {
    let denied = format!("perform: {} on resource: {}", grant.action, grant.resource.trim_end_matches('*'));
    line.function == grant.function && line.line.contains(&denied)
}

/// Whether a scenario fails without a grant. A log line may appear only after the scenario has ended.
async fn fails_without(world: &World, grant: &Grant, scenario: Scenario) -> bool {
    let iam = world.gateway.iam();
    if grant.action.starts_with("secretsmanager:") {
        // A process keeps the secrets that it has fetched, so the scenario needs new processes.
        let mut plan = Plan::default();
        plan.lambda.functions.insert(grant.function.clone());
        plan.lambda.cold = Chance::of(1.0);
        world.gateway.faults().set(plan).expect("a plan that can be followed");
    }
    iam.revoke(grant);
    let actors = Actors::new(world);
    let outcome = async {
        let outcome = scenario.run(&actors).await;
        if outcome.is_ok() {
            world.gateway.streams().idle().await;
        }
        outcome
    };
    let fails = tokio::select! {
        _ = world.gateway.logged(|line| is_complaint(line, grant)) => true,
        outcome = outcome => match outcome {
            Err(failed) => {
                let denied = iam.denied_by_revoking(grant);
                assert!(denied > 0, "{scenario:?} failed, but not because {grant} was revoked: {failed}");
                true
            }
            Ok(()) => false,
        }
    };
    iam.restore(grant);
    scenarios::tidy_up(world).await;
    fails
}

/// Whether any of the scenarios that use a grant fails without it.
async fn is_needed(world: &World, grant: &Grant, scenarios: &[Scenario]) -> bool {
    for scenario in scenarios {
        if fails_without(world, grant, *scenario).await {
            return true;
        }
    }
    // The log line of a denied call may appear after its scenario.
    let complaint = world.gateway.logged(|line| is_complaint(line, grant));
    world.gateway.iam().denied_by_revoking(grant) > 0 && timeout(DEADLINE, complaint).await.is_ok()
}

/// The grants without which nothing fails.
async fn idle_grants<'g>(uses: &[(&'g Grant, &[Scenario])]) -> BTreeSet<&'g Grant> {
    let world = world().await;
    let mut idle = BTreeSet::new();
    for (grant, scenarios) in uses {
        if !is_needed(&world, grant, scenarios).await {
            idle.insert(*grant);
        }
    }
    idle
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_needed() {
    let world = world().await;
    let uses = run(&world, &Scenario::ALL).await;
    let granted = world.gateway.iam().granted();
    let unused: Vec<String> = granted.iter().filter(|grant| !uses.contains_key(grant)).map(Grant::to_string).collect();
    assert_eq!(unused, Vec::<String>::new(), "granted, but used by no scenario");
    drop(world);

    let uses: Vec<(&Grant, &[Scenario])> =
        uses.iter().map(|(grant, scenarios)| (grant, scenarios.as_slice())).collect();
    // Neighbours are grants of one function. Dealing them out in turn gives each world both quick and slow scenarios.
    let hands: Vec<Vec<_>> =
        (0..WORLDS).map(|world| uses.iter().skip(world).step_by(WORLDS).copied().collect()).collect();
    let idle = futures::future::join_all(hands.iter().map(|hand| idle_grants(hand))).await;
    let idle: Vec<String> = idle.into_iter().flatten().map(Grant::to_string).collect();
    assert_eq!(idle, Vec::<String>::new(), "used, but not necessary");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_needed_behind_a_proxy() {
    let world = world_with(|stack| {
        stack.parameters.insert("Credentials".to_owned(), "proxy".to_owned());
    })
    .await;
    let uses = run(&world, &Scenario::OF_SESSIONS).await;
    let mut idle = BTreeSet::new();
    for grant in world.gateway.iam().granted() {
        if ["AuthorizerFunction", "SessionFunction"].contains(&grant.function.as_str()) {
            let scenarios = uses.get(&grant).map(Vec::as_slice).unwrap_or_default();
            if !is_needed(&world, &grant, scenarios).await {
                idle.insert(grant.to_string());
            }
        }
    }
    assert_eq!(idle, BTreeSet::new(), "granted, but not necessary");
}

#[tokio::test(flavor = "multi_thread")]
async fn superfluous_grants_are_found() {
    let template = std::fs::read_to_string(root().join("template.yaml")).expect("the template can be read");
    let needed = "Action: dynamodb:DeleteItem";
    let too_many = "Action: [dynamodb:DeleteItem, dynamodb:Delete*, dynamodb:Scan]";
    assert_eq!(template.matches(needed).count(), 1, "only DisconnectFunction has this statement");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("template.yaml");
    std::fs::write(&file, template.replace(needed, too_many)).expect("a file can be written");
    let world = world_with(|stack| stack.template = file).await;
    Scenario::ComeAndGo.run(&Actors::new(&world)).await.expect("no grant is missing");

    let used = world.gateway.iam().used();
    let granted = world.gateway.iam().granted();
    let of_disconnect =
        |grant: &&Grant| grant.function == "DisconnectFunction" && grant.resource.ends_with("ConnectionsTable");
    let unused: Vec<&str> = granted
        .iter()
        .filter(of_disconnect)
        .filter(|grant| !used.contains_key(grant))
        .map(|grant| grant.action.as_str())
        .collect();
    assert_eq!(unused, ["dynamodb:Scan"]);
    for grant in used.keys().filter(of_disconnect) {
        assert!(!is_needed(&world, grant, &[Scenario::ComeAndGo]).await, "{grant}: the other grant is sufficient");
    }
}
