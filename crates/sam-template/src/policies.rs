//! `Policies` of a function.

use serde_json::Value;

use crate::error::invalid;
use crate::properties::Properties;
use crate::value::kind;
use crate::{Policy, Statement, TemplateError};

pub(crate) fn policies(properties: &Properties) -> Result<Vec<Policy>, TemplateError> {
    let at = properties.path("Policies");
    let entries: Vec<Value> = match properties.get("Policies") {
        None => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    };
    entries.into_iter().enumerate().map(|(index, entry)| policy(entry, format!("{at}[{index}]"))).collect()
}

fn policy(entry: Value, at: String) -> Result<Policy, TemplateError> {
    match &entry {
        Value::String(name) => return Ok(Policy::Managed(name.clone())),
        Value::Object(map) => {
            let mut entries = map.iter().filter(|(name, _)| *name != "Statement");
            if let (1, Some((name, parameters))) = (map.len(), entries.next()) {
                return Ok(Policy::SamTemplate { name: name.clone(), parameters: parameters.clone() });
            }
        }
        other => return Err(invalid(&at, format!("a policy is a name or a mapping, not {}", kind(Some(other))))),
    }
    let document = Properties::of(Some(entry), at)?;
    let statements = match document.get("Statement") {
        None => return Err(document.error("Statement", "a policy document needs statements")),
        Some(Value::Array(_)) => document.mappings("Statement")?,
        Some(_) => vec![document.nested("Statement")?],
    };
    statements.iter().map(statement).collect::<Result<_, _>>().map(Policy::Statements)
}

fn statement(properties: &Properties) -> Result<Statement, TemplateError> {
    for unsupported in ["NotAction", "NotResource"] {
        if properties.get(unsupported).is_some() {
            return Err(properties.error(unsupported, "this cannot be checked; name the allowed actions and resources"));
        }
    }
    let allow = match properties.required_text("Effect")?.as_str() {
        "Allow" => true,
        "Deny" => false,
        other => return Err(properties.error("Effect", format!("`{other}` is not Allow or Deny"))),
    };
    let actions = properties.texts("Action")?;
    let resources = properties.texts("Resource")?;
    if actions.is_empty() {
        return Err(properties.error("Action", "a statement needs at least one action"));
    }
    if resources.is_empty() {
        return Err(properties.error("Resource", "a statement needs at least one resource"));
    }
    let condition = properties.get("Condition").cloned().unwrap_or(Value::Null);
    Ok(Statement { sid: properties.text("Sid")?, allow, actions, resources, condition })
}
