//! A function for the gateway's own tests, whose events say what to do.
//!
//! `cargo test` builds it as an example, so that the tests run a real process with the real runtime.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Map, Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "a test function has no configuration module")]
    let dies = std::env::var_os("DIES_AT_START").is_some();
    if dies {
        std::process::exit(7);
    }
    println!("started {}", std::process::id());
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    if event["type"] == "REQUEST" {
        return authorize(&event);
    }
    match event["requestContext"]["eventType"].as_str() {
        Some("CONNECT") => connect(&event),
        Some("DISCONNECT") => {
            println!("disconnected {}", event["requestContext"]);
            Ok(json!({ "statusCode": 200 }))
        }
        Some("MESSAGE") => {
            let body: Value =
                event["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
            match body["do"].as_str() {
                Some("event") => Ok(json!({ "statusCode": 200, "body": event.to_string() })),
                Some("no-result") => Ok(json!("no result")),
                Some("speak") => {
                    let body = "x".repeat(number(&body["bytes"]));
                    Ok(json!({ "statusCode": 200, "body": body }))
                }
                _ => {
                    let done = act(&body, &context)?;
                    Ok(json!({ "statusCode": 200, "body": done.to_string() }))
                }
            }
        }
        _ => act(&event, &context),
    }
}

/// Does what `do` says; by default, echoes.
fn act(request: &Value, context: &lambda_runtime::Context) -> Result<Value, Error> {
    match request["do"].as_str() {
        Some("fail") => Err(request["message"].as_str().unwrap_or("as asked").to_owned().into()),
        Some("die") => std::process::exit(3),
        Some("abort") => std::process::abort(),
        // Writes its process id to a file and blocks its only thread, so that only a signal ends it.
        Some("hang") => {
            if let Some(file) = request["file"].as_str() {
                std::fs::write(file, std::process::id().to_string())?;
            }
            loop {
                std::thread::sleep(Duration::from_secs(3_600));
            }
        }
        Some("wait") => {
            wait_for(request["file"].as_str().unwrap_or_default());
            Ok(json!({ "pid": std::process::id() }))
        }
        // Returns once this many invocations run concurrently.
        Some("meet") => {
            let folder = std::path::Path::new(request["folder"].as_str().unwrap_or_default());
            std::fs::write(folder.join(&context.request_id), "")?;
            while std::fs::read_dir(folder)?.count() < number(&request["count"]) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(json!({ "pid": std::process::id() }))
        }
        Some("environment") => {
            #[expect(clippy::disallowed_methods, reason = "the test checks the environment")]
            let variables = std::env::vars();
            Ok(variables.map(|(name, value)| (name, Value::from(value))).collect::<Map<String, Value>>().into())
        }
        Some("context") => Ok(json!({
            "request_id": context.request_id,
            "deadline": context.deadline,
            "arn": context.invoked_function_arn,
            "trace": context.xray_trace_id,
        })),
        Some("large") => Ok(json!("x".repeat(7_000_000))),
        _ => Ok(json!({ "pid": std::process::id(), "echo": request })),
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

fn wait_for(file: &str) {
    while !std::path::Path::new(file).exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The token decides about the handshake.
fn authorize(event: &Value) -> Result<Value, Error> {
    let header = event["headers"]["Authorization"].as_str();
    let effect = match header.or(event["queryStringParameters"]["token"].as_str()) {
        Some("deny") => "Deny",
        Some("broken") => return Err("the key is missing".into()),
        Some(token) if token.starts_with("allow") => "Allow",
        _ => return Err("Unauthorized".into()),
    };
    let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"] });
    Ok(json!({
        "principalId": "u1",
        "policyDocument": { "Version": "2012-10-17", "Statement": [statement] },
        "context": { "participant": "user:u1", "exp": 1_795_200_000, "staff": false },
    }))
}

fn connect(event: &Value) -> Result<Value, Error> {
    let query = &event["queryStringParameters"];
    println!("connecting {}", event["requestContext"]["connectionId"].as_str().unwrap_or_default());
    if let Some(file) = query["wait"].as_str() {
        wait_for(file);
    }
    match query["connect"].as_str() {
        Some("fail") => return Err("as asked".into()),
        Some("hang") => wait_for("/nowhere"),
        Some("no-result") => return Ok(json!({})),
        Some(status) => return Ok(json!({ "statusCode": status.parse::<u16>()? })),
        None => {}
    }
    let mut result = json!({ "statusCode": 200 });
    if let Some(offered) = event["headers"]["Sec-WebSocket-Protocol"].as_str() {
        let chosen = offered.split(',').next().unwrap_or_default().trim();
        result["headers"] = json!({ "Sec-WebSocket-Protocol": chosen });
    }
    Ok(result)
}
