//! The wire as an AsyncAPI 3.1 document. <https://www.asyncapi.com/docs/reference/specification/v3.1.0>

use serde_json::{Map, Value, json};

use crate::schemas::{Exchange, Wire};

/// The document, as JSON.
pub fn document() -> String {
    let wire = Wire::of_all();
    let mut messages = Map::new();
    let mut operations = Map::new();
    for exchange in &wire.exchanges {
        let action = exchange.action;
        messages.insert(action.to_owned(), json!({"payload": request(exchange)}));
        messages.insert(format!("{action}Reply"), json!({"payload": reply(exchange)}));
        operations.insert(action.to_owned(), operation(action));
    }
    messages.insert("error".to_owned(), json!({"payload": error(&wire.refusal)}));
    messages.insert("event".to_owned(), json!({"payload": wire.event}));
    let push = json!({"action": "send", "channel": {"$ref": "#/channels/chat"}, "messages": [in_channel("event")]});
    operations.insert("push".to_owned(), push);
    let component = |name: &String| json!({"$ref": format!("#/components/messages/{name}")});
    let in_chat: Map<String, Value> = messages.keys().map(|name| (name.clone(), component(name))).collect();
    let document = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Damso", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "MIT"},
            "description": "Chat for people who do not share a language: one WebSocket, JSON text frames.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "stack": {
                "host": "{api}.execute-api.{region}.amazonaws.com", "pathname": "/{stage}", "protocol": "wss",
                "variables": {"api": {}, "region": {}, "stage": {"default": "dev"}},
                "security": [
                    {"$ref": "#/components/securitySchemes/bearer"},
                    {"$ref": "#/components/securitySchemes/ticket"},
                ],
            },
        },
        "channels": {
            "chat": {
                "address": null, "messages": in_chat,
                "description": "Browsers offer the subprotocols `damso.v1` and `bearer.<jwt>`; other clients send \
                    `Authorization: Bearer <jwt>`.",
            },
        },
        "operations": operations,
        "components": {
            "messages": messages, "schemas": wire.definitions,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "ticket": {
                    "type": "httpApiKey", "name": "ticket", "in": "query",
                    "description": "from `createTicket`; valid once, for 30 seconds",
                },
            },
        },
    });
    format!("{document:#}\n")
}

fn in_channel(message: &str) -> Value {
    json!({"$ref": format!("#/channels/chat/messages/{message}")})
}

/// A request and its reply or error, from the server's point of view.
fn operation(action: &str) -> Value {
    json!({
        "action": "receive",
        "channel": {"$ref": "#/channels/chat"},
        "messages": [in_channel(action)],
        "reply": {
            "channel": {"$ref": "#/channels/chat"},
            "messages": [in_channel(&format!("{action}Reply")), in_channel("error")],
        },
    })
}

fn request(exchange: &Exchange) -> Value {
    let action = exchange.action;
    let envelope = json!({
        "type": "object", "required": ["action"],
        "properties": {"action": {"const": action}, "request_id": request_id()},
    });
    json!({"allOf": [exchange.request, envelope]})
}

fn reply(exchange: &Exchange) -> Value {
    let action = exchange.action;
    let envelope = json!({
        "type": "object", "required": ["type", "action"],
        "properties": {"type": {"const": "reply"}, "action": {"const": action}, "request_id": request_id()},
    });
    json!({"allOf": [exchange.reply, envelope]})
}

fn error(refusal: &Value) -> Value {
    let envelope = json!({
        "type": "object", "required": ["type", "action"],
        "properties": {"type": {"const": "error"}, "action": {"type": "string"}, "request_id": request_id()},
    });
    json!({"allOf": [refusal, envelope]})
}

fn request_id() -> Value {
    json!({"type": "string", "maxLength": 64, "description": "echoed in the reply"})
}
