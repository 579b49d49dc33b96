//! Functions survive any event: each file of `events/` is sent to its function once for every place in it and every odd
//! value in that place.

use end_to_end::{Consultation, World, root};
use futures::{StreamExt, stream};
use local_gateway::InvokeError;
use serde_json::{Value, json};

fn odd_values() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0.5),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}\u{202e}\u{1f9d1}\u{200d}\u{2695}"),
        json!("x".repeat(5_000)),
        json!("../../%00?a=b#"),
        json!({}),
        json!([[]]),
        deep,
    ]
}

/// Finds all places in a value, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                places(inner, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                places(inner, &format!("{here}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// Every variation of an event, and of the frame in its body if there is one.
fn variations(event: &Value) -> Vec<Value> {
    let mut variations = Vec::new();
    let mut vary = |whole: &Value, write: &dyn Fn(Value) -> Value| {
        let mut found = Vec::new();
        places(whole, "", &mut found);
        for place in found {
            for odd in odd_values() {
                let mut varied = whole.clone();
                *varied.pointer_mut(&place).expect("a place of this value") = odd;
                variations.push(write(varied));
            }
        }
    };
    vary(event, &|varied| varied);
    if let Some(frame) = event["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok()) {
        vary(&frame, &|varied| {
            let mut event = event.clone();
            event["body"] = json!(varied.to_string());
            event
        });
    }
    variations
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_survive_mutated_events() {
    let world = World::with(|options| {
        // What one variation stores must not limit the next.
        for name in ["SendWindowMs", "MuteSeconds", "CostlyPerMinute", "RequestsPerMinute"] {
            options.parameters.insert(name.to_owned(), "0".to_owned());
        }
        options.parameters.insert("ConnectsPerMinute".to_owned(), "500".to_owned());
    })
    .await;
    let Consultation { patient, hospital, .. } = world.consultation().await;
    let api = world.template().api.as_ref().expect("the template has an API");
    let mut events = Vec::new();
    for function in world.template().functions.values() {
        let path = root().join("events").join(format!("{}.json", function.binary()));
        let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // A function with one action ignores the action of the frame.
        let routes = api.routes.values().filter(|route| route.function == function.logical_id);
        let serves_several = routes.count() > 1;
        let action = action_of(&event).filter(|_| serves_several);
        events.extend(variations(&event).into_iter().map(|event| (function.logical_id.clone(), action.clone(), event)));
    }
    assert!(events.len() > 5_000, "{}", events.len());
    stream::iter(events)
        .for_each_concurrent(4, async |(function, action, event)| {
            let shown = event.to_string();
            match world.gateway.invoke(&function, event).await {
                Ok(answer) => {
                    let body = answer["body"].as_str().unwrap_or_default();
                    // A function may fail if something is missing that API Gateway guarantees.
                    let excused = shown_without_context(&shown) || is_misrouted(&shown, action.as_deref());
                    let ours = body.contains(r#""code":"internal""#) && !excused;
                    assert!(!ours, "{function} has no answer to {shown}: {answer}");
                }
                Err(InvokeError::FunctionError { payload, .. }) => {
                    assert!(!payload.to_string().contains("panick"), "{function} panics on {shown}: {payload}");
                }
                Err(error) => panic!("{function} does not survive {shown}: {error}"),
            }
        })
        .await;
    world.settled().await;
    drop((patient, hospital));
}

/// The action that the frame in an event names.
fn action_of(event: &Value) -> Option<String> {
    let frame: Value = serde_json::from_str(event["body"].as_str()?).ok()?;
    frame["action"].as_str().map(str::to_owned)
}

/// Whether the frame names another action than `expected`, with which API Gateway would call another function.
fn is_misrouted(event: &str, expected: Option<&str>) -> bool {
    let event: Value = serde_json::from_str(event).expect("an event is JSON");
    let named = action_of(&event);
    expected.is_some() && named.is_some() && named.as_deref() != expected
}

/// Whether something that API Gateway and the authorizer guarantee is missing or invalid.
fn shown_without_context(event: &str) -> bool {
    let event: Value = serde_json::from_str(event).expect("an event is JSON");
    let context = &event["requestContext"];
    let text = |value: &Value| {
        value.as_str().is_some_and(|text| {
            !text.is_empty()
                && text.len() < 1_000
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._-=~".contains(&byte))
        })
    };
    let known = ["participant", "user_id", "exp"].iter().all(|name| text(&context["authorizer"][name]));
    !(known && text(&context["connectionId"]) && context["connectedAt"].is_u64())
}
