//! Plans, and what is decided by them.

use super::*;
use sam_template::StackContext;

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

fn decisions(faults: &Faults, kind: Kind) -> Vec<Option<Strike>> {
    (0..500).map(|_| faults.strike(kind, "F", "PutItem")).collect()
}

fn refused(plan: Plan) -> String {
    faults(plan).err().unwrap().to_string()
}

#[test]
fn the_same_seed_decides_the_same_and_another_one_does_not() {
    let plan = Plan::every_kind(7, 0.2);
    let (one, same, other) =
        (faults(plan.clone()).unwrap(), faults(plan).unwrap(), faults(Plan::every_kind(8, 0.2)).unwrap());
    for kind in Kind::ALL {
        let decided = decisions(&one, kind);
        assert_eq!(decided, decisions(&same, kind), "{kind}");
        assert_ne!(decided, decisions(&other, kind), "{kind}");
        let struck = decided.iter().flatten().count();
        assert!((60..140).contains(&struck), "{kind} struck {struck} of 500 times at 0.2");
        assert!(decided.iter().flatten().all(|strike| strike.after <= Duration::from_millis(50)), "{kind}");
        assert_eq!(one.counts()[&kind], struck as u64);
    }
    assert_eq!(one.counts(), same.counts());
}

#[test]
fn one_kind_decides_the_same_whatever_the_others_do() {
    let alone = Plan { dynamodb: DynamoDb { throttled: Chance::of(0.2), ..DynamoDb::default() }, ..Plan::default() };
    let among_all = faults(Plan::every_kind(0, 0.2)).unwrap();
    let _ = decisions(&among_all, Kind::DynamoDbConflict);
    let kind = Kind::DynamoDbThrottled;
    assert_eq!(decisions(&faults(alone).unwrap(), kind), decisions(&among_all, kind));
}

#[test]
fn a_plan_that_is_set_again_begins_anew_and_the_counts_go_on() {
    let plan = Plan::every_kind(1, 0.5);
    let faults = faults(plan.clone()).unwrap();
    let kind = Kind::PushGone;
    let first = decisions(&faults, kind);
    faults.set(plan).unwrap();
    assert_eq!(decisions(&faults, kind), first);
    assert_eq!(faults.counts()[&kind], 2 * first.iter().flatten().count() as u64);
}

#[test]
fn a_limit_is_kept_and_calm_ends_everything_but_sabotage() {
    let sabotage = Sabotage { failures_dropped: true, ..Sabotage::default() };
    let pushes = Pushes { gone: Chance::of(1.0).at_most(3), failed: Chance::of(1.0), ..Pushes::default() };
    let faults = faults(Plan { pushes, sabotage: sabotage.clone(), ..Plan::default() }).unwrap();
    assert_eq!(decisions(&faults, Kind::PushGone).iter().flatten().count(), 3);
    faults.calm();
    assert!(faults.strike(Kind::PushFailed, "", "").is_none());
    assert_eq!(faults.sabotage(), Some(sabotage));
    assert_eq!(faults.counts(), BTreeMap::from([(Kind::PushGone, 3)]));
}

#[test]
fn only_what_a_plan_names_is_struck() {
    let dynamodb = DynamoDb {
        operations: ["PutItem".to_owned()].into(),
        functions: ["F".to_owned()].into(),
        throttled: Chance::of(1.0),
        ..DynamoDb::default()
    };
    let faults = faults(Plan { dynamodb, ..Plan::default() }).unwrap();
    let strikes = |function, operation| faults.strike(Kind::DynamoDbThrottled, function, operation).is_some();
    assert!(strikes("F", "PutItem"));
    assert!(!strikes("F", "GetItem") && !strikes("G", "PutItem"));
}

#[test]
fn a_plan_is_json_that_may_leave_out_everything() {
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
    assert!(error.contains("plan.json is no fault plan: unknown field `throtled`"), "{error}");
    let error = Plan::read(&folder.path().join("nothing")).unwrap_err().to_string();
    assert!(error.contains("nothing cannot be read: "), "{error}");
}

#[test]
fn a_plan_that_cannot_be_followed_is_refused_in_one_sentence() {
    let pushes = Pushes { gone: Chance::of(1.5), ..Pushes::default() };
    assert_eq!(
        refused(Plan { pushes, ..Plan::default() }),
        "the fault plan's pushes.gone has the probability 1.5, which is not between 0 and 1"
    );
    let late = Delayed { probability: 1.0, at_most: None, least_ms: 5, most_ms: 4 };
    assert_eq!(
        refused(Plan { streams: Streams { late, ..Streams::default() }, ..Plan::default() }),
        "the fault plan's streams.late lasts at least 5 ms and at most 4 ms, which is shorter"
    );
    let lambda = Lambda { functions: ["G".to_owned()].into(), ..Lambda::default() };
    assert_eq!(
        refused(Plan { lambda, ..Plan::default() }),
        "the fault plan's lambda.functions names `G`, which the template has not"
    );
    let sabotage = Sabotage { sends_ignored: true, sends_table: "Letters".into(), ..Sabotage::default() };
    assert!(refused(Plan { sabotage, ..Plan::default() }).contains("sabotage.sends_table names `Letters`"));
    let sabotage = Sabotage { mark_before_push: true, pusher: "G".into(), ..Sabotage::default() };
    assert!(refused(Plan { sabotage, ..Plan::default() }).contains("sabotage.pusher names `G`"));
}

#[test]
fn planted_defects_are_said_loudly_and_by_name() {
    let sabotage = Sabotage { sends_ignored: true, failures_dropped: true, ..Sabotage::default() };
    let warning = sabotage.warning().unwrap();
    assert!(warning.starts_with("WARNING") && warning.contains("(sends_ignored, failures_dropped)"), "{warning}");
    let sabotage = Sabotage { mark_before_push: true, ..Sabotage::default() };
    assert!(sabotage.warning().unwrap().contains("(mark_before_push)"));
    assert_eq!(Sabotage::default().warning(), None);
}

#[test]
fn without_a_plan_nothing_is_decided_or_counted() {
    let faults = faults(Plan { seed: 9, ..Plan::default() }).unwrap();
    for kind in Kind::ALL {
        assert!(decisions(&faults, kind).iter().all(Option::is_none), "{kind}");
    }
    assert!(faults.sabotage().is_none() && faults.counts().is_empty());
}
