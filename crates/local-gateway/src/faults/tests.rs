//! Plans and their decisions.

use std::collections::BTreeMap;
use std::time::Duration;

use sam_template::{StackContext, Template};

use super::*;

const TEMPLATE: &str = "
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f}}
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
";

fn faults(plan: Plan) -> Result<Faults, PlanError> {
    Faults::of(&Template::parse(TEMPLATE, StackContext::local("demo"), &BTreeMap::new()).unwrap(), plan)
}

fn decisions(faults: &Faults, kind: Kind) -> Vec<Option<Injected>> {
    (0..500).map(|_| faults.inject(kind, "F", "PutItem")).collect()
}

fn rejection(plan: Plan) -> String {
    faults(plan).err().unwrap().to_string()
}

#[test]
fn decisions_depend_on_the_seed() {
    let plan = Plan::every_kind(7, 0.2);
    let one = faults(plan.clone()).unwrap();
    let same = faults(plan).unwrap();
    let other = faults(Plan::every_kind(8, 0.2)).unwrap();
    for kind in Kind::ALL {
        let decided = decisions(&one, kind);
        assert_eq!(decided, decisions(&same, kind), "{kind}");
        assert_ne!(decided, decisions(&other, kind), "{kind}");
        let injected = decided.iter().flatten().count();
        assert!((60..140).contains(&injected), "{kind} was injected {injected} of 500 times at 0.2");
        assert!(decided.iter().flatten().all(|fault| fault.delay <= Duration::from_millis(50)), "{kind}");
        assert_eq!(one.counts()[&kind], injected as u64);
    }
    assert_eq!(one.counts(), same.counts());
}

#[test]
fn kinds_are_decided_independently() {
    let alone = Plan { dynamodb: DynamoDb { throttled: Chance::of(0.2), ..DynamoDb::default() }, ..Plan::default() };
    let among_all = faults(Plan::every_kind(0, 0.2)).unwrap();
    let _ = decisions(&among_all, Kind::DynamoDbConflict);
    let kind = Kind::DynamoDbThrottled;
    assert_eq!(decisions(&faults(alone).unwrap(), kind), decisions(&among_all, kind));
}

#[test]
fn setting_a_plan_restarts_decisions_not_counts() {
    let plan = Plan::every_kind(1, 0.5);
    let faults = faults(plan.clone()).unwrap();
    let kind = Kind::PushGone;
    let first = decisions(&faults, kind);
    faults.set(plan).unwrap();
    assert_eq!(decisions(&faults, kind), first);
    assert_eq!(faults.counts()[&kind], 2 * first.iter().flatten().count() as u64);
}

#[test]
fn limits_hold_and_calm_ends_all_faults() {
    let pushes = Pushes { gone: Chance::of(1.0).at_most(3), failed: Chance::of(1.0), ..Pushes::default() };
    let faults = faults(Plan { pushes, ..Plan::default() }).unwrap();
    assert_eq!(decisions(&faults, Kind::PushGone).iter().flatten().count(), 3);
    faults.calm();
    assert!(faults.inject(Kind::PushFailed, "", "").is_none());
    assert_eq!(faults.counts(), BTreeMap::from([(Kind::PushGone, 3)]));
}

#[test]
fn plans_affect_only_what_they_name() {
    let dynamodb = DynamoDb {
        operations: ["PutItem".to_owned()].into(),
        functions: ["F".to_owned()].into(),
        throttled: Chance::of(1.0),
        ..DynamoDb::default()
    };
    let faults = faults(Plan { dynamodb, ..Plan::default() }).unwrap();
    let injects = |function, operation| faults.inject(Kind::DynamoDbThrottled, function, operation).is_some();
    assert!(injects("F", "PutItem"));
    assert!(!injects("F", "GetItem") && !injects("G", "PutItem"));
}

#[test]
fn plan_fields_are_optional_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Plan::read(&file)
    };
    assert_eq!(read("{}").unwrap(), Plan::default());
    let plan = read(
        r#"{"seed": 7, "dynamodb": {"throttled": 0.02, "conflict": {"probability": 1, "at_most": 3},
            "slow": {"probability": 0.1, "most_ms": 80}, "operations": ["PutItem"]}}"#,
    )
    .unwrap();
    let dynamodb = DynamoDb {
        operations: ["PutItem".to_owned()].into(),
        throttled: Chance::of(0.02),
        conflict: Chance::of(1.0).at_most(3),
        slow: Chance::of(0.1).for_ms(0..=80),
        ..DynamoDb::default()
    };
    assert_eq!(plan, Plan { seed: 7, dynamodb, ..Plan::default() });
    let every = Plan::every_kind(3, 0.25);
    assert_eq!(read(&serde_json::to_string(&every).unwrap()).unwrap(), every);

    let error = read(r#"{"dynamodb": {"throtled": 1}}"#).unwrap_err().to_string();
    assert!(error.contains("plan.json is not a fault plan: unknown field `throtled`"), "{error}");
    let error = Plan::read(&folder.path().join("nothing")).unwrap_err().to_string();
    assert!(error.starts_with("failed to read the fault plan "), "{error}");
}

#[test]
fn impossible_plans_are_rejected() {
    let pushes = Pushes { gone: Chance::of(1.5), ..Pushes::default() };
    assert_eq!(
        rejection(Plan { pushes, ..Plan::default() }),
        "the probability 1.5 of pushes.gone in the fault plan is not between 0 and 1"
    );
    let late = Delayed { probability: 1.0, at_most: None, least_ms: 5, most_ms: 4 };
    assert_eq!(
        rejection(Plan { streams: Streams { late, ..Streams::default() }, ..Plan::default() }),
        "the fault plan's streams.late has least_ms 5, which is above most_ms 4"
    );
    let lambda = Lambda { functions: ["G".to_owned()].into(), ..Lambda::default() };
    assert_eq!(
        rejection(Plan { lambda, ..Plan::default() }),
        "the fault plan's lambda.functions names `G`, which is not in the template"
    );
}

#[test]
fn nothing_is_decided_without_a_plan() {
    let faults = faults(Plan { seed: 9, ..Plan::default() }).unwrap();
    for kind in Kind::ALL {
        assert!(decisions(&faults, kind).iter().all(Option::is_none), "{kind}");
    }
    assert!(faults.counts().is_empty());
}
