//! `Globals`: properties that all resources of a type share.

use serde_json::{Map, Value};

/// Adds to a resource the properties that `Globals` gives to its type: the resource's own scalars win, mappings are
/// merged, and lists are joined, the global items first.
pub(crate) fn with_globals(globals: &Map<String, Value>, resource_type: &str, mut resource: Value) -> Value {
    let Some(shared) = resource_type.strip_prefix("AWS::Serverless::").and_then(|name| globals.get(name)) else {
        return resource;
    };
    let own = resource.get("Properties").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    resource["Properties"] = merged(shared, own);
    resource
}

fn merged(shared: &Value, own: Value) -> Value {
    match (shared, own) {
        (Value::Object(shared), Value::Object(own)) if !is_function(shared) && !is_function(&own) => {
            let mut result = shared.clone();
            for (name, value) in own {
                let value = match result.get(&name) {
                    Some(shared) => merged(shared, value),
                    None => value,
                };
                result.insert(name, value);
            }
            Value::Object(result)
        }
        (Value::Array(shared), Value::Array(own)) => shared.iter().cloned().chain(own).collect(),
        (_, own) => own,
    }
}

fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|name| name == "Ref" || name.starts_with("Fn::"))
}
