//! The wire as an AsyncAPI 3.1 document. <https://www.asyncapi.com/docs/reference/specification/v3.1.0>

use serde_json::{Map, Value, json};

use crate::schemas::Wire;

/// The document, as JSON.
pub fn document() -> String {
    let wire = Wire::of_all();
    let (mut messages, mut operations) = (Map::new(), Map::new());
    let in_channel = |name: &str| json!({ "$ref": format!("#/channels/chat/messages/{name}") });
    let component = |name: &str| json!({ "$ref": format!("#/components/messages/{name}") });
    let request_id = json!({"type": "string", "maxLength": 64, "description": "echoed in the reply"});
    for exchange in &wire.exchanges {
        let action = exchange.action;
        let envelope = |fields: Value, shape: &Value| json!({"allOf": [shape, fields]});
        messages.insert(
            action.to_owned(),
            json!({"payload": envelope(
                json!({"type": "object", "required": ["action"], "properties": {"action": {"const": action}, "request_id": request_id}}),
                &exchange.request,
            )}),
        );
        messages.insert(
            format!("{action}Reply"),
            json!({"payload": envelope(
                json!({
                    "type": "object", "required": ["type", "action"],
                    "properties": {"type": {"const": "reply"}, "action": {"const": action}, "request_id": request_id},
                }),
                &exchange.reply,
            )}),
        );
        operations.insert(
            action.to_owned(),
            json!({
                "action": "receive", "channel": {"$ref": "#/channels/chat"}, "messages": [in_channel(action)],
                "reply": {"channel": {"$ref": "#/channels/chat"}, "messages": [in_channel(&format!("{action}Reply")), in_channel("error")]},
            }),
        );
    }
    messages.insert(
        "error".to_owned(),
        json!({"payload": {"allOf": [wire.refusal, {
            "type": "object", "required": ["type", "action"],
            "properties": {"type": {"const": "error"}, "action": {"type": "string"}, "request_id": request_id},
        }]}}),
    );
    messages.insert("event".to_owned(), json!({ "payload": wire.event }));
    operations.insert(
        "push".to_owned(),
        json!({"action": "send", "channel": {"$ref": "#/channels/chat"}, "messages": [in_channel("event")]}),
    );
    let in_chat: Map<String, Value> = messages.keys().map(|name| (name.clone(), component(name))).collect();
    let document = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Damso", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "MIT"},
            "description": "A chat between people who do not share a language: one WebSocket, JSON text frames.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "stack": {
                "host": "{api}.execute-api.{region}.amazonaws.com", "pathname": "/{stage}", "protocol": "wss",
                "variables": {"api": {}, "region": {}, "stage": {"default": "dev"}},
                "security": [{"$ref": "#/components/securitySchemes/bearer"}, {"$ref": "#/components/securitySchemes/ticket"}],
            },
        },
        "channels": {
            "chat": {
                "address": null, "messages": in_chat,
                "description": "A browser offers the subprotocols `damso.v1` and `bearer.<jwt>`; others send `Authorization: Bearer <jwt>`.",
            },
        },
        "operations": operations,
        "components": {
            "messages": messages, "schemas": wire.definitions,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "ticket": {"type": "httpApiKey", "name": "ticket", "in": "query", "description": "of `createTicket`; good once, for 30 seconds"},
            },
        },
    });
    format!("{document:#}\n")
}
