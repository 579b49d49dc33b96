//! What a Lambda authorizer's response means for a handshake.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::event::Handshake;
use crate::lambda::InvokeError;

/// The largest result of an authorizer in bytes.
const MAX_RESULT_BYTES: usize = 8 * 1024;

/// The response to a handshake that is rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    pub status: StatusCode,
    pub body: Value,
}

impl Rejection {
    fn unauthorized() -> Rejection {
        Rejection { status: StatusCode::UNAUTHORIZED, body: json!({ "message": "Unauthorized" }) }
    }

    fn internal_error() -> Rejection {
        Rejection { status: StatusCode::INTERNAL_SERVER_ERROR, body: json!({ "message": "Internal server error" }) }
    }

    fn denied(explicitly: bool) -> Rejection {
        let how = if explicitly { " with an explicit deny" } else { "" };
        let message = format!("User is not authorized to access this resource{how}");
        Rejection { status: StatusCode::FORBIDDEN, body: json!({ "Message": message }) }
    }
}

/// Rejects a handshake that lacks one of the configured identity sources, such as `route.request.header.Authorization`,
/// without invoking the function.
pub fn check_identity_sources(sources: &[String], handshake: &Handshake) -> Result<(), Rejection> {
    let present = |source: &String| {
        let value = match source.trim_start_matches('$').strip_prefix("route.request.") {
            Some(part) => match part.split_once('.') {
                Some(("header", name)) => handshake.header(name),
                Some(("querystring", name)) => handshake.query(name),
                _ => None,
            },
            // The gateway has no stage variables; context values are always present.
            None => source.trim_start_matches('$').starts_with("context.").then_some("present"),
        };
        value.is_some_and(|value| !value.is_empty())
    };
    if sources.iter().all(present) { Ok(()) } else { Err(Rejection::unauthorized()) }
}

/// Decides about a handshake after the authorizer's function has run for `latency`: `requestContext.authorizer` of all
/// later events, or a rejection.
pub fn decide(
    result: Result<&[u8], &InvokeError>,
    connect_arn: &str,
    latency: Duration,
) -> Result<Map<String, Value>, Rejection> {
    let result = match result {
        Ok(result) => result,
        Err(InvokeError::FunctionError { payload, .. }) if payload["errorMessage"] == "Unauthorized" => {
            return Err(Rejection::unauthorized());
        }
        Err(problem) => {
            tracing::warn!(%problem, "the authorizer failed");
            return Err(Rejection::internal_error());
        }
    };
    if result.len() > MAX_RESULT_BYTES {
        tracing::warn!(bytes = result.len(), "the authorizer's result is over 8 KB");
        return Err(Rejection::internal_error());
    }
    let result: Value = serde_json::from_slice(result).map_err(|_| Rejection::internal_error())?;
    let (Some(principal), Some(allowed)) =
        (result["principalId"].as_str(), verdict(&result["policyDocument"], connect_arn))
    else {
        tracing::warn!("the authorizer's result has no principalId or no policyDocument");
        return Err(Rejection::internal_error());
    };
    match allowed {
        Verdict::Allow => {}
        Verdict::Deny => return Err(Rejection::denied(true)),
        Verdict::Nothing => return Err(Rejection::denied(false)),
    }
    let mut authorizer = Map::new();
    for (name, value) in result["context"].as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => {
                tracing::warn!(name, "a value in the authorizer's context is not text, a number or a boolean");
                return Err(Rejection::internal_error());
            }
        };
        authorizer.insert(name.clone(), Value::String(text));
    }
    authorizer.insert("principalId".into(), json!(principal));
    authorizer.insert("integrationLatency".into(), json!(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)));
    Ok(authorizer)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    Deny,
    Nothing,
}

/// What a policy document says about `execute-api:Invoke` on an ARN; `None` if it is not a policy document.
fn verdict(policy: &Value, arn: &str) -> Option<Verdict> {
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement @ Value::Object(_) => std::slice::from_ref(statement),
        _ => return None,
    };
    let mut verdict = Verdict::Nothing;
    for statement in statements {
        let applies = any(&statement["Action"], |action| matches(&action.to_lowercase(), "execute-api:invoke"))
            && any(&statement["Resource"], |resource| matches(resource, arn));
        match statement["Effect"].as_str()? {
            "Deny" if applies => return Some(Verdict::Deny),
            "Allow" if applies => verdict = Verdict::Allow,
            "Deny" | "Allow" => {}
            _ => return None,
        }
    }
    Some(verdict)
}

/// Whether one of the texts matches: policies hold one text or a list.
fn any(value: &Value, matches: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => matches(text),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).any(matches),
        _ => false,
    }
}

/// Whether a text matches a pattern with `*` (anything) and `?` (one character).
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut read = 0;
    // Where to continue on a mismatch: after the last `*`, which then takes one more character.
    let mut last_star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                last_star = Some((at + 1, read));
                at += 1;
            }
            Some(&expected) if expected == '?' || expected == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match last_star {
                Some((after_star, from)) => {
                    last_star = Some((after_star, from + 1));
                    at = after_star;
                    read = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/$connect";

    fn answer(effect: &str, resource: &str, context: Value) -> Result<Map<String, Value>, Rejection> {
        let result = json!({
            "principalId": "u1",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}],
            },
            "context": context,
        });
        decide(Ok(result.to_string().as_bytes()), ARN, Duration::from_millis(7))
    }

    #[test]
    fn context_values_become_text() {
        let context = answer("Allow", ARN, json!({"exp": 1795200000, "staff": true, "name": "Aiko"})).unwrap();
        assert_eq!(
            Value::Object(context),
            json!({"exp": "1795200000", "staff": "true", "name": "Aiko", "principalId": "u1", "integrationLatency": 7})
        );
    }

    #[test]
    fn policies_apply_to_their_api_only() {
        assert!(answer("Allow", "arn:aws:execute-api:*:*:abc/*", json!({})).is_ok());
        let rejection = answer("Allow", "arn:aws:execute-api:us-east-1:123456789012:other/*", json!({})).unwrap_err();
        assert_eq!(
            (rejection.status.as_u16(), rejection.body),
            (403, json!({"Message": "User is not authorized to access this resource"}))
        );
    }

    #[test]
    fn deny_is_403() {
        let rejection = answer("Deny", "*", json!({})).unwrap_err();
        assert_eq!(rejection.status, StatusCode::FORBIDDEN);
        assert_eq!(rejection.body["Message"], "User is not authorized to access this resource with an explicit deny");
    }

    #[test]
    fn only_unauthorized_error_is_401() {
        let failed = |message: &str| InvokeError::FunctionError {
            function: "A".into(),
            payload: json!({"errorMessage": message}),
        };
        let status = |error: InvokeError| decide(Err(&error), ARN, Duration::ZERO).unwrap_err().status.as_u16();
        assert_eq!(status(failed("Unauthorized")), 401);
        assert_eq!(status(failed("unauthorized")), 500);
        assert_eq!(status(InvokeError::Stopped), 500);
    }

    #[test]
    fn invalid_policy_is_500() {
        for answer in [
            "null",
            "{}",
            "not json",
            r#"{"principalId":"u1"}"#,
            r#"{"principalId":"u1","policyDocument":{"Statement":[{"Effect":"Maybe"}]}}"#,
        ] {
            assert_eq!(
                decide(Ok(answer.as_bytes()), ARN, Duration::ZERO).unwrap_err().status.as_u16(),
                500,
                "{answer}"
            );
        }
        assert_eq!(answer("Allow", "*", json!({"rooms": []})).unwrap_err().status.as_u16(), 500);
        assert_eq!(answer("Allow", "*", json!({"long": "x".repeat(9_000)})).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn missing_identity_source_is_401() {
        let handshake = Handshake::of(&"/dev?token=x".parse().unwrap(), &HeaderMap::new(), [127, 0, 0, 1].into());
        let has = |source: &str| check_identity_sources(&[source.to_owned()], &handshake).is_ok();
        assert!(has("route.request.querystring.token"));
        assert!(!has("route.request.header.Authorization"));
    }

    #[test]
    fn patterns_backtrack() {
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(matches("*", "") && matches("a?c", "abc") && !matches("a?c", "ac") && !matches("a*b", "a-b-c"));
    }
}
