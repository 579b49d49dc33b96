use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::StackContext;
use crate::names::PhysicalNames;

fn scope() -> Scope {
    let object = |value: Value| value.as_object().unwrap().clone();
    Scope {
        stack: StackContext::local("demo"),
        parameters: [
            ("Stage".to_owned(), json!("dev")),
            ("Limit".to_owned(), json!("10")),
            ("Zones".to_owned(), json!(["a", "b"])),
        ]
        .into(),
        mappings: object(json!({"Sizes": {"dev": {"memory": 256}}})),
        conditions: object(json!({
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
            "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
            "Ten": {"Fn::Equals": [{"Ref": "Limit"}, 10]},
            "Circle": {"Condition": "Circle"},
        })),
        resources: [
            ("Things".to_owned(), json!({"Type": "AWS::DynamoDB::Table", "Properties": {"StreamSpecification": {}}})),
            ("Queue".to_owned(), json!({"Type": "AWS::SQS::Queue"})),
        ]
        .into(),
        generated: BTreeMap::new(),
    }
}

fn resolve(value: Value) -> Result<Option<Value>, String> {
    let scope = scope();
    PhysicalNames { scope: &scope }.evaluator().value(&value, "Here", 0).map_err(|error| error.to_string())
}

#[test]
fn functions_evaluate_as_on_cloudformation() {
    for (given, expected) in [
        (json!({"Ref": "Stage"}), json!("dev")),
        (json!({"Ref": "Zones"}), json!(["a", "b"])),
        (json!({"Ref": "AWS::StackName"}), json!("demo")),
        (json!({"Ref": "AWS::Partition"}), json!("aws")),
        (json!({"Ref": "Things"}), json!("demo-Things")),
        (json!({"Fn::GetAtt": ["Things", "Arn"]}), json!("arn:aws:dynamodb:us-east-1:123456789012:table/demo-Things")),
        (json!({"Fn::GetAtt": "Queue.Arn"}), json!("arn:aws:sqs:us-east-1:123456789012:demo-Queue")),
        (
            json!({"Fn::Sub": "${AWS::Region}/${Stage}/${Things.Arn}/${!Kept}"}),
            json!("us-east-1/dev/arn:aws:dynamodb:us-east-1:123456789012:table/demo-Things/${Kept}"),
        ),
        (json!({"Fn::Sub": ["${Own}-${Stage}", {"Own": {"Ref": "Limit"}}]}), json!("10-dev")),
        (json!({"Fn::Join": [",", ["x", {"Ref": "Stage"}, 3]]}), json!("x,dev,3")),
        (json!({"Fn::Join": ["+", {"Ref": "Zones"}]}), json!("a+b")),
        (json!({"Fn::Select": ["1", {"Fn::Split": ["-", "a-b-c"]}]}), json!("b")),
        (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}), json!(256)),
        (json!({"Fn::FindInMap": ["Sizes", "prod", "memory", {"DefaultValue": 512}]}), json!(512)),
        (json!({"Fn::Base64": "hi"}), json!("aGk=")),
        (json!({"Fn::If": ["IsProd", 1, 2]}), json!(2)),
        (json!({"Fn::If": ["Either", {"Fn::If": ["Both", 1, 3]}, 2]}), json!(3)),
        (json!({"Fn::If": ["Ten", "ten", "other"]}), json!("ten")),
        (json!({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}), json!({"b": [1]})),
        (
            json!({"Effect": "Allow", "Condition": {"StringEquals": {"a": {"Ref": "Stage"}}}}),
            json!({"Effect": "Allow", "Condition": {"StringEquals": {"a": "dev"}}}),
        ),
    ] {
        assert_eq!(resolve(given.clone()), Ok(Some(expected)), "{given}");
    }
    assert_eq!(resolve(json!({"Ref": "AWS::NoValue"})), Ok(None));
}

#[test]
fn errors_name_the_path() {
    for (given, expected) in [
        (json!({"a": {"Ref": "Nothing"}}), "Here.a: the template has no parameter or resource `Nothing`"),
        (json!({"Fn::Sub": "${Nothing.Arn}"}), "Here: the template has no resource `Nothing`"),
        (json!({"Fn::Sub": "${Open"}), "never closes it"),
        (json!({"Fn::If": ["Nothing", 1, 2]}), "the template has no condition `Nothing`"),
        (json!({"Fn::If": ["Circle", 1, 2]}), "refers to itself"),
        (json!({"Fn::If": [1]}), "Fn::If takes a list of 3"),
        (json!({"Fn::Select": [5, ["a"]]}), "has no item 5 in a list of 1"),
        (json!({"Fn::FindInMap": ["Sizes", "prod", "memory"]}), "the mapping `Sizes` has no entry `prod`, `memory`"),
        (json!({"Fn::GetAtt": ["Things", "Colour"]}), "`Things` (AWS::DynamoDB::Table) has no attribute `Colour`"),
        (json!({"Fn::ImportValue": "x"}), "`Fn::ImportValue` is not supported"),
        (json!({"Fn::Join": ["", "text"]}), "expected a list, found text"),
    ] {
        let error = resolve(given.clone()).unwrap_err();
        assert!(error.contains(expected), "{given} gave {error:?}");
    }
}
