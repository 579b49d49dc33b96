//! The events that API Gateway passes to the functions of a WebSocket API.

use std::net::IpAddr;
use std::time::SystemTime;

use axum::http::{HeaderMap, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value, json};

use crate::timestamps::{milliseconds, request_time};

/// What all events of one API have in common.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// `requestContext.apiId`.
    pub api_id: String,
    /// `requestContext.stage`.
    pub stage: String,
    /// `requestContext.domainName`: the domain of the API on AWS.
    pub domain_name: String,
    /// The ARN of `$connect`, for the authorizer.
    pub connect_arn: String,
    /// The port that clients connect to.
    pub port: u16,
}

/// What all events of one connection have in common.
#[derive(Debug, Clone)]
pub struct Caller {
    pub connection_id: String,
    pub connected_at: SystemTime,
    pub source_ip: IpAddr,
    pub user_agent: Option<String>,
    /// `requestContext.authorizer`; `None` without an authorizer.
    pub authorizer: Option<Map<String, Value>>,
}

/// An id in the format of API Gateway: eleven random bytes, for example `L0SM9cOFvHcCIhw=`.
pub fn new_id() -> String {
    URL_SAFE.encode(rand::random::<[u8; 11]>())
}

impl Envelope {
    fn context(&self, caller: &Caller, route_key: &str, event_type: &str, request_id: &str) -> Map<String, Value> {
        let now = SystemTime::now();
        let mut identity = json!({ "sourceIp": caller.source_ip.to_string() });
        if let Some(user_agent) = &caller.user_agent {
            identity["userAgent"] = json!(user_agent);
        }
        let mut context = object(json!({
            "routeKey": route_key,
            "eventType": event_type,
            "extendedRequestId": request_id,
            "requestTime": request_time(now),
            "messageDirection": "IN",
            "stage": self.stage,
            "connectedAt": milliseconds(caller.connected_at),
            "requestTimeEpoch": milliseconds(now),
            "identity": identity,
            "requestId": request_id,
            "domainName": self.domain_name,
            "connectionId": caller.connection_id,
            "apiId": self.api_id,
        }));
        if let Some(authorizer) = &caller.authorizer {
            context.insert("authorizer".into(), Value::Object(authorizer.clone()));
        }
        context
    }

    /// The event of a Lambda authorizer of type REQUEST.
    pub fn authorization(&self, caller: &Caller, request: &Handshake, request_id: &str) -> Value {
        let mut event = object(json!({
            "version": "1.0",
            "type": "REQUEST",
            "methodArn": self.connect_arn,
            "stageVariables": {},
            "requestContext": self.context(caller, "$connect", "CONNECT", request_id),
        }));
        request.describe(&mut event, self);
        Value::Object(event)
    }

    /// The event of `$connect`.
    pub fn connect(&self, caller: &Caller, request: &Handshake, request_id: &str) -> Value {
        let mut event = object(json!({
            "requestContext": self.context(caller, "$connect", "CONNECT", request_id),
            "isBase64Encoded": false,
        }));
        request.describe(&mut event, self);
        Value::Object(event)
    }

    /// The event of a message's route.
    pub fn message(&self, caller: &Caller, route_key: &str, request_id: &str, body: &str) -> Value {
        let mut context = self.context(caller, route_key, "MESSAGE", request_id);
        context.insert("messageId".into(), json!(new_id()));
        json!({ "requestContext": context, "body": body, "isBase64Encoded": false })
    }

    /// The event of `$disconnect`.
    pub fn disconnect(&self, caller: &Caller, request_id: &str, code: u16, reason: &str) -> Value {
        let mut context = self.context(caller, "$disconnect", "DISCONNECT", request_id);
        context.insert("disconnectStatusCode".into(), json!(code));
        context.insert("disconnectReason".into(), json!(reason));
        let headers =
            [("Host", self.domain_name.as_str()), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")];
        let single: Map<String, Value> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let multi: Map<String, Value> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
        json!({ "headers": single, "multiValueHeaders": multi, "requestContext": context, "isBase64Encoded": false })
    }
}

/// The part of a request to connect that functions see.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// In the order of the request, without the headers of the upgrade itself.
    headers: Vec<(String, String)>,
    /// Decoded, in the order of the request.
    query: Vec<(String, String)>,
    source_ip: IpAddr,
}

impl Handshake {
    /// Header values are read as UTF-8; invalid bytes are replaced.
    pub fn of(uri: &Uri, headers: &HeaderMap, source_ip: IpAddr) -> Handshake {
        let headers = headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "connection" | "upgrade"))
            .map(|(name, value)| (cased(name.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        Handshake { headers, query, source_ip }
    }

    /// The last value of a header, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The last value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    fn describe(&self, event: &mut Map<String, Value>, envelope: &Envelope) {
        let mut headers = self.headers.clone();
        headers.push((
            "X-Amzn-Trace-Id".into(),
            format!("Root=1-{:08x}-{}", milliseconds(SystemTime::now()) / 1000, hex_digits()),
        ));
        headers.push(("X-Forwarded-For".into(), self.source_ip.to_string()));
        headers.push(("X-Forwarded-Port".into(), envelope.port.to_string()));
        headers.push(("X-Forwarded-Proto".into(), "http".into()));
        let (single, multi) = maps(&headers);
        event.insert("headers".into(), single);
        event.insert("multiValueHeaders".into(), multi);
        if !self.query.is_empty() {
            let (single, multi) = maps(&self.query);
            event.insert("queryStringParameters".into(), single);
            event.insert("multiValueQueryStringParameters".into(), multi);
        }
    }
}

/// Every name with its last value, and with all its values.
fn maps(pairs: &[(String, String)]) -> (Value, Value) {
    let mut single = Map::new();
    let mut multi: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        single.insert(name.clone(), json!(value));
        match multi.get_mut(name) {
            Some(Value::Array(values)) => values.push(json!(value)),
            _ => {
                multi.insert(name.clone(), json!([value]));
            }
        }
    }
    (Value::Object(single), Value::Object(multi))
}

/// A header name in its usual case. Header names are case-insensitive, and the server has lowered them.
fn cased(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .map(|word| match word {
            "websocket" => "WebSocket".to_owned(),
            _ => word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect(),
        })
        .collect();
    words.join("-")
}

fn hex_digits() -> String {
    rand::random::<[u8; 12]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            api_id: "abcdef123".into(),
            stage: "dev".into(),
            domain_name: "abcdef123.execute-api.us-east-1.amazonaws.com".into(),
            connect_arn: "arn:aws:execute-api:us-east-1:123456789012:abcdef123/dev/$connect".into(),
            port: 3001,
        }
    }

    fn caller() -> Caller {
        Caller {
            connection_id: new_id(),
            connected_at: SystemTime::now(),
            source_ip: [127, 0, 0, 1].into(),
            user_agent: None,
            authorizer: None,
        }
    }

    fn handshake() -> Handshake {
        let mut headers = HeaderMap::new();
        headers.insert("upgrade", "websocket".parse().unwrap());
        headers.insert("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        headers.append("x-language", "ko".parse().unwrap());
        headers.append("x-language", "ja".parse().unwrap());
        Handshake::of(&"/dev?token=a%20b&n=1&n=2".parse().unwrap(), &headers, [127, 0, 0, 1].into())
    }

    #[test]
    fn ids_have_api_gateways_format() {
        let id = new_id();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
    }

    #[test]
    fn last_of_repeated_values_wins() {
        let event = envelope().authorization(&caller(), &handshake(), "r=");
        assert_eq!(event["headers"]["X-Language"], "ja");
        assert_eq!(event["multiValueHeaders"]["X-Language"], json!(["ko", "ja"]));
        assert_eq!(event["queryStringParameters"], json!({"token": "a b", "n": "2"}));
        assert_eq!(event["multiValueQueryStringParameters"]["n"], json!(["1", "2"]));
        assert!(event["headers"]["Sec-WebSocket-Key"].is_string() && event["headers"]["Upgrade"].is_null());
    }

    #[test]
    fn event_kinds_have_their_own_fields() {
        let envelope = envelope();
        let mut caller = caller();
        let keys = |event: &Value| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let message = envelope.message(&caller, "sendMessage", "r=", "{}");
        assert_eq!(keys(&message), ["body", "isBase64Encoded", "requestContext"]);
        assert!(
            message["requestContext"]["messageId"].is_string() && message["requestContext"]["authorizer"].is_null()
        );

        caller.authorizer = Some(object(json!({"principalId": "u1"})));
        let disconnect = envelope.disconnect(&caller, "r=", 1005, "Client-side close frame status not set");
        assert_eq!(disconnect["requestContext"]["disconnectStatusCode"], 1005);
        assert_eq!(disconnect["requestContext"]["authorizer"]["principalId"], "u1");
        assert_eq!(disconnect["requestContext"]["eventType"], "DISCONNECT");
        assert!(disconnect["requestContext"]["messageId"].is_null());
    }
}
