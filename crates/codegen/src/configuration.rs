//! The parameters of `template.yaml`, in the groups and the order that the CloudFormation console shows.

use std::collections::BTreeMap;

use sam_template::Parameter;
use serde_json::{Map, Value};

use crate::markdown::{cell, codes, table};
use crate::repository::{CodegenError, read, root};

const TEMPLATE: &str = "template.yaml";

/// Longer lists of allowed values would only fill the table.
const MAX_LISTED: usize = 6;

/// One section per group of parameters.
pub fn tables() -> Result<String, CodegenError> {
    let declared = sam_template::parameters(&read(TEMPLATE)?)?;
    let mut parameters: BTreeMap<String, Parameter> =
        declared.into_iter().map(|parameter| (parameter.name.clone(), parameter)).collect();
    let mut sections = Vec::new();
    for group in groups(&sam_template::read_unresolved(&root().join(TEMPLATE))?) {
        let label = group.pointer("/Label/default").and_then(Value::as_str).unwrap_or_default();
        let mut rows = Vec::new();
        for name in group["Parameters"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let parameter =
                parameters.remove(name).ok_or_else(|| incomplete(name, "is not declared, or grouped twice"))?;
            rows.push(row(&parameter)?);
        }
        sections.push(format!("## {label}\n\n{}", table(&["parameter", "default", "values", "description"], rows)));
    }
    match parameters.into_keys().next() {
        Some(name) => Err(incomplete(&name, "is in no parameter group")),
        None => Ok(sections.join("\n")),
    }
}

fn groups(template: &Map<String, Value>) -> Vec<Value> {
    let interface = template.get("Metadata").map(|metadata| &metadata["AWS::CloudFormation::Interface"]);
    interface.and_then(|interface| interface["ParameterGroups"].as_array()).cloned().unwrap_or_default()
}

fn row(parameter: &Parameter) -> Result<Vec<String>, CodegenError> {
    let Some(description) = &parameter.description else {
        return Err(incomplete(&parameter.name, "has no description"));
    };
    let default = match &parameter.default {
        Some(default) if !default.is_empty() => codes([default]),
        _ => "(empty)".to_owned(),
    };
    Ok(vec![format!("`{}`", parameter.name), default, values(parameter), cell(description)])
}

/// The values that the template allows, where they fit a cell.
fn values(parameter: &Parameter) -> String {
    if !parameter.allowed_values.is_empty() {
        let fit = parameter.allowed_values.len() <= MAX_LISTED;
        return if fit { codes(&parameter.allowed_values) } else { String::new() };
    }
    match (&parameter.min_value, &parameter.max_value) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        (None, Some(most)) => format!("up to {most}"),
        (None, None) => String::new(),
    }
}

fn incomplete(name: &str, problem: &str) -> CodegenError {
    CodegenError::Incomplete(format!("{name} {problem}"))
}
