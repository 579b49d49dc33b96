//! The results of functions as API Gateway reads them.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The body of a function's result, if any. A result without `statusCode` is invalid.
pub(super) fn body_of(result: &Bytes, limit: usize) -> Result<Option<String>, &'static str> {
    let result: Value = serde_json::from_slice(result).map_err(|_| "it is not JSON")?;
    if !(result["statusCode"].is_u64() || result["statusCode"].is_string()) {
        return Err("it has no statusCode");
    }
    let body = match &result["body"] {
        Value::Null => return Ok(None),
        Value::String(body) if result["isBase64Encoded"] == true => {
            let bytes = STANDARD.decode(body).map_err(|_| "its body is not Base64")?;
            String::from_utf8(bytes).map_err(|_| "its body is not UTF-8")?
        }
        Value::String(body) => body.clone(),
        _ => return Err("its body is not text"),
    };
    if body.len() > limit {
        return Err("its body is larger than a message may be");
    }
    Ok(Some(body).filter(|body| !body.is_empty()))
}

/// The status of the result of `$connect`.
pub(super) fn status_of(result: &Bytes) -> Option<StatusCode> {
    let result: Value = serde_json::from_slice(result).ok()?;
    // Some runtimes write it as text, which API Gateway accepts.
    let status = match &result["statusCode"] {
        Value::String(text) => text.parse().ok()?,
        number => number.as_u64()?,
    };
    StatusCode::from_u16(u16::try_from(status).ok()?).ok().filter(|status| !status.is_informational())
}

/// `Sec-WebSocket-Protocol` among the result's headers, in any case.
pub(super) fn subprotocol_of(result: &Bytes) -> Option<HeaderValue> {
    let result: Value = serde_json::from_slice(result).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in
        result["headers"].as_object().into_iter().chain(result["multiValueHeaders"].as_object()).flatten()
    {
        let value = value.as_str().or_else(|| value[0].as_str());
        if let (true, Some(value)) = (name.eq_ignore_ascii_case("sec-websocket-protocol"), value) {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value.parse().ok()?);
        }
    }
    headers.remove(header::SEC_WEBSOCKET_PROTOCOL)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(result: Value) -> Result<Option<String>, &'static str> {
        body_of(&Bytes::from(result.to_string()), 10)
    }

    #[test]
    fn results_may_have_a_body() {
        assert_eq!(body(json!({"statusCode": 200, "body": "hi"})), Ok(Some("hi".into())));
        assert_eq!(body(json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true})), Ok(Some("hi".into())));
        assert_eq!(body(json!({"statusCode": 200})), Ok(None));
        assert_eq!(body(json!({"statusCode": 200, "body": ""})), Ok(None));
    }

    #[test]
    fn invalid_results_are_rejected() {
        for result in [
            json!("hi"),
            json!({}),
            json!({"body": "hi"}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": "eleven byte"}),
        ] {
            assert!(body(result.clone()).is_err(), "{result}");
        }
    }

    #[test]
    fn status_is_a_number_or_text() {
        let status =
            |result: &'static str| status_of(&Bytes::from_static(result.as_bytes())).map(|status| status.as_u16());
        assert_eq!(status(r#"{"statusCode":200}"#), Some(200));
        assert_eq!(status(r#"{"statusCode":"403"}"#), Some(403));
        for result in ["", "null", "{}", r#"{"statusCode":70000}"#, r#"{"statusCode":true}"#, r#"{"statusCode":101}"#] {
            assert_eq!(status(result), None, "{result}");
        }
    }

    #[test]
    fn subprotocol_is_found_in_any_case() {
        let subprotocol = |result: Value| subprotocol_of(&Bytes::from(result.to_string()));
        assert_eq!(subprotocol(json!({"headers": {"sec-websocket-protocol": "a.v1"}})).unwrap(), "a.v1");
        assert_eq!(subprotocol(json!({"multiValueHeaders": {"Sec-WebSocket-Protocol": ["a.v1"]}})).unwrap(), "a.v1");
        assert_eq!(subprotocol(json!({"headers": {"X-Other": "x"}})), None);
    }
}
