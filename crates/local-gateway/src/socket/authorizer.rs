//! What a Lambda authorizer's answer means for a handshake.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::event::Handshake;
use crate::lambda::InvokeError;

/// The largest result of an authorizer in bytes.
const RESULT_LIMIT: usize = 8 * 1024;

/// Why a client may not connect: the status and body of the answer to its handshake.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub status: StatusCode,
    pub body: Value,
}

impl Refusal {
    fn unauthorized() -> Refusal {
        Refusal { status: StatusCode::UNAUTHORIZED, body: json!({ "message": "Unauthorized" }) }
    }

    fn broken() -> Refusal {
        Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, body: json!({ "message": "Internal server error" }) }
    }

    fn denied(explicitly: bool) -> Refusal {
        let how = if explicitly { " with an explicit deny" } else { "" };
        let message = format!("User is not authorized to access this resource{how}");
        Refusal { status: StatusCode::FORBIDDEN, body: json!({ "Message": message }) }
    }
}

/// Refuses a handshake that lacks one of the configured identity sources, such as `route.request.header.Authorization`;
/// the function is not asked then.
pub fn has_identity(sources: &[String], handshake: &Handshake) -> Result<(), Refusal> {
    let present = |source: &String| {
        let value = match source.trim_start_matches('$').strip_prefix("route.request.") {
            Some(part) => match part.split_once('.') {
                Some(("header", name)) => handshake.header(name),
                Some(("querystring", name)) => handshake.query(name),
                _ => None,
            },
            // The gateway has no stage variables; what is in the context is always there.
            None => source.trim_start_matches('$').starts_with("context.").then_some("present"),
        };
        value.is_some_and(|value| !value.is_empty())
    };
    if sources.iter().all(present) { Ok(()) } else { Err(Refusal::unauthorized()) }
}

/// What becomes of a handshake after the authorizer's function has run for `latency`: `requestContext.authorizer` of all
/// later events, or the refusal.
pub fn judge(
    result: Result<&[u8], &InvokeError>,
    connect_arn: &str,
    latency: Duration,
) -> Result<Map<String, Value>, Refusal> {
    let result = match result {
        Ok(result) => result,
        Err(InvokeError::FunctionError { payload, .. }) if payload["errorMessage"] == "Unauthorized" => {
            return Err(Refusal::unauthorized());
        }
        Err(problem) => {
            tracing::warn!(%problem, "the authorizer failed");
            return Err(Refusal::broken());
        }
    };
    if result.len() > RESULT_LIMIT {
        tracing::warn!(bytes = result.len(), "the authorizer's result is over 8 KB");
        return Err(Refusal::broken());
    }
    let result: Value = serde_json::from_slice(result).map_err(|_| Refusal::broken())?;
    let (Some(principal), Some(allowed)) =
        (result["principalId"].as_str(), verdict(&result["policyDocument"], connect_arn))
    else {
        tracing::warn!("the authorizer's result has no principalId or no policyDocument");
        return Err(Refusal::broken());
    };
    match allowed {
        Verdict::Allow => {}
        Verdict::Deny => return Err(Refusal::denied(true)),
        Verdict::Nothing => return Err(Refusal::denied(false)),
    }
    let mut authorizer = Map::new();
    for (name, value) in result["context"].as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => {
                tracing::warn!(name, "a value of the authorizer's context is neither text, number nor boolean");
                return Err(Refusal::broken());
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

/// What a policy document says of `execute-api:Invoke` on that ARN; nothing where it is no policy document.
fn verdict(policy: &Value, arn: &str) -> Option<Verdict> {
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement @ Value::Object(_) => std::slice::from_ref(statement),
        _ => return None,
    };
    let mut verdict = Verdict::Nothing;
    for statement in statements {
        let concerns = any(&statement["Action"], |action| matches(&action.to_lowercase(), "execute-api:invoke"))
            && any(&statement["Resource"], |resource| matches(resource, arn));
        match statement["Effect"].as_str()? {
            "Deny" if concerns => return Some(Verdict::Deny),
            "Allow" if concerns => verdict = Verdict::Allow,
            "Deny" | "Allow" => {}
            _ => return None,
        }
    }
    Some(verdict)
}

/// Whether one of the texts fits: policies write one, or a list.
fn any(value: &Value, fits: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).any(fits),
        _ => false,
    }
}

/// Whether a text fits a pattern with `*` (anything) and `?` (one character).
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where to go on when the text does not fit: behind the last `*`, which then takes one character more.
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
                Some((behind, from)) => {
                    last_star = Some((behind, from + 1));
                    at = behind;
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

    fn answer(effect: &str, resource: &str, context: Value) -> Result<Map<String, Value>, Refusal> {
        let result = json!({
            "principalId": "u1",
            "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]},
            "context": context,
        });
        judge(Ok(result.to_string().as_bytes()), ARN, Duration::from_millis(7))
    }

    #[test]
    fn the_context_reaches_the_functions_as_text() {
        let context = answer("Allow", ARN, json!({"exp": 1795200000, "staff": true, "name": "Aiko"})).unwrap();
        assert_eq!(
            Value::Object(context),
            json!({"exp": "1795200000", "staff": "true", "name": "Aiko", "principalId": "u1", "integrationLatency": 7})
        );
    }

    #[test]
    fn a_policy_for_the_whole_api_allows_and_one_for_another_api_does_not() {
        assert!(answer("Allow", "arn:aws:execute-api:*:*:abc/*", json!({})).is_ok());
        let refusal = answer("Allow", "arn:aws:execute-api:us-east-1:123456789012:other/*", json!({})).unwrap_err();
        assert_eq!(
            (refusal.status.as_u16(), refusal.body),
            (403, json!({"Message": "User is not authorized to access this resource"}))
        );
    }

    #[test]
    fn a_deny_is_403_and_says_so() {
        let refusal = answer("Deny", "*", json!({})).unwrap_err();
        assert_eq!(refusal.status, StatusCode::FORBIDDEN);
        assert_eq!(refusal.body["Message"], "User is not authorized to access this resource with an explicit deny");
    }

    #[test]
    fn only_the_error_unauthorized_is_401() {
        let failed = |message: &str| InvokeError::FunctionError {
            function: "A".into(),
            payload: json!({"errorMessage": message}),
        };
        let status = |error: InvokeError| judge(Err(&error), ARN, Duration::ZERO).unwrap_err().status.as_u16();
        assert_eq!(status(failed("Unauthorized")), 401);
        assert_eq!(status(failed("unauthorized")), 500);
        assert_eq!(status(InvokeError::Stopped), 500);
    }

    #[test]
    fn an_answer_that_is_no_policy_is_500() {
        for answer in [
            "null",
            "{}",
            "not json",
            r#"{"principalId":"u1"}"#,
            r#"{"principalId":"u1","policyDocument":{"Statement":[{"Effect":"Maybe"}]}}"#,
        ] {
            assert_eq!(judge(Ok(answer.as_bytes()), ARN, Duration::ZERO).unwrap_err().status.as_u16(), 500, "{answer}");
        }
        assert_eq!(answer("Allow", "*", json!({"rooms": []})).unwrap_err().status.as_u16(), 500);
        assert_eq!(answer("Allow", "*", json!({"long": "x".repeat(9_000)})).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn a_missing_identity_source_is_401() {
        let handshake = Handshake::of(&"/dev?token=x".parse().unwrap(), &HeaderMap::new(), [127, 0, 0, 1].into());
        let has = |source: &str| has_identity(&[source.to_owned()], &handshake).is_ok();
        assert!(has("route.request.querystring.token"));
        assert!(!has("route.request.header.Authorization"));
    }

    #[test]
    fn a_pattern_may_need_more_than_one_try() {
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(matches("*", "") && matches("a?c", "abc") && !matches("a?c", "ac") && !matches("a*b", "a-b-c"));
    }
}
