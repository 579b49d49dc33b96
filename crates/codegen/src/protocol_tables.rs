//! The actions and errors of the wire, from its JSON Schemas.

use serde_json::{Map, Value};

use crate::markdown::{cell, codes, table};
use crate::schemas::Wire;

/// Tables of the actions, the fields of their requests, and the errors.
pub fn tables() -> String {
    let wire = Wire::of_all();
    let definitions = &wire.definitions;
    let mut actions = Vec::new();
    let mut requests = Vec::new();
    for exchange in &wire.exchanges {
        let action = format!("`{}`", exchange.action);
        let request = Object::of(&exchange.request, definitions);
        let reply = Object::of(&exchange.reply, definitions);
        actions.push(vec![action.clone(), request.names(), reply.names()]);
        for field in &request.fields {
            requests.push(vec![action.clone(), field.marked(), field.values(definitions), cell(field.about())]);
        }
    }
    let error_codes = definitions.get("ErrorCode").and_then(|codes| codes["oneOf"].as_array());
    let errors = error_codes.into_iter().flatten().map(|code| {
        let name = code["const"].as_str().unwrap_or_default();
        vec![format!("`{name}`"), cell(description(code))]
    });
    let refusal = Object::of(&wire.refusal, definitions);
    let details = refusal.fields.iter().filter(|field| !field.required);
    let details = details.map(|field| vec![format!("`{}`", field.name), cell(field.about())]);
    let sections = [
        "### Actions\n\nOptional fields are marked `?`.\n".to_owned(),
        table(&["action", "fields", "reply"], actions),
        "### Fields of requests\n".to_owned(),
        table(&["action", "field", "values", "meaning"], requests),
        "### Errors\n\nAn error has a `code` and a `message` for people.\n".to_owned(),
        table(&["code", "meaning"], errors),
        "Some codes come with one more field:\n".to_owned(),
        table(&["field", "meaning"], details),
    ];
    sections.join("\n")
}

/// An object's fields, those that are always present first.
struct Object<'a> {
    fields: Vec<Field<'a>>,
}

struct Field<'a> {
    name: &'a str,
    required: bool,
    schema: &'a Value,
}

impl<'a> Object<'a> {
    fn of(schema: &'a Value, definitions: &'a Map<String, Value>) -> Self {
        let schema = resolved(schema, definitions);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Vec<Field> = properties
            .map(|(name, schema)| Field { name, required: required.contains(&name.as_str()), schema })
            .collect();
        fields.sort_by_key(|field| !field.required);
        Self { fields }
    }

    fn names(&self) -> String {
        self.fields.iter().map(Field::marked).collect::<Vec<_>>().join(", ")
    }
}

impl Field<'_> {
    fn marked(&self) -> String {
        format!("`{}`{}", self.name, if self.required { "" } else { "?" })
    }

    fn about(&self) -> &str {
        description(self.schema)
    }

    /// What the field may hold: its values where they are few, else its type.
    fn values(&self, definitions: &Map<String, Value>) -> String {
        let parts = [self.schema].into_iter().chain(options(self.schema));
        let parts: Vec<&Value> = parts.map(|part| resolved(part, definitions)).collect();
        let constants: Vec<&str> =
            parts.iter().flat_map(|part| options(part)).filter_map(|option| option["const"].as_str()).collect();
        if !constants.is_empty() {
            return codes(constants);
        }
        parts.iter().find_map(|part| type_of(part)).unwrap_or_default().to_owned()
    }
}

/// The type, without `null`: an optional field is left out.
fn type_of(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

fn options(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten()
}

/// The schema that a reference stands for.
fn resolved<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.and_then(|name| definitions.get(name)).unwrap_or(schema)
}

fn description(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}
