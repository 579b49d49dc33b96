//! The parameters of `template.yaml`, in the groups and the order that the CloudFormation console shows.

use serde_json::{Map, Value};

use crate::files::{CodegenError, root};
use crate::markdown::{cell, codes, table};

/// Beyond so many allowed values, a list of them explains nothing.
const LISTED: usize = 6;

/// One section per group of parameters.
pub fn tables() -> Result<String, CodegenError> {
    let template = sam_template::read_unresolved(&root().join("template.yaml"))?;
    let parameters = template.get("Parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut sections = Vec::new();
    let mut shown = 0;
    for group in groups(&template) {
        let label = group.pointer("/Label/default").and_then(Value::as_str).unwrap_or_default();
        let mut rows = Vec::new();
        for name in group["Parameters"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let parameter = parameters.get(name).ok_or_else(|| undescribed(name, "is grouped but not declared"))?;
            rows.push(row(name, parameter)?);
        }
        shown += rows.len();
        sections.push(format!("## {label}\n\n{}", table(&["parameter", "default", "values", "description"], rows)));
    }
    if shown != parameters.len() {
        return Err(undescribed("Metadata", "the parameter groups do not list every parameter once"));
    }
    Ok(sections.join("\n"))
}

fn groups(template: &Map<String, Value>) -> Vec<Value> {
    let interface = template.get("Metadata").map(|metadata| &metadata["AWS::CloudFormation::Interface"]);
    interface.and_then(|interface| interface["ParameterGroups"].as_array()).cloned().unwrap_or_default()
}

fn row(name: &str, parameter: &Value) -> Result<Vec<String>, CodegenError> {
    let description = parameter["Description"].as_str().ok_or_else(|| undescribed(name, "has no description"))?;
    let default = match plain(&parameter["Default"]) {
        Some(default) if !default.is_empty() => codes([default]),
        _ => "(empty)".to_owned(),
    };
    Ok(vec![format!("`{name}`"), default, values(parameter), cell(description)])
}

/// What the parameter may be set to, where the template restricts it in a way that fits a cell.
fn values(parameter: &Value) -> String {
    if let Some(allowed) = parameter["AllowedValues"].as_array() {
        return if allowed.len() <= LISTED { codes(allowed.iter().filter_map(plain)) } else { String::new() };
    }
    match (plain(&parameter["MinValue"]), plain(&parameter["MaxValue"])) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        (None, Some(most)) => format!("up to {most}"),
        (None, None) => String::new(),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn undescribed(name: &str, problem: &str) -> CodegenError {
    CodegenError::Undescribed(format!("{name}: {problem}"))
}
