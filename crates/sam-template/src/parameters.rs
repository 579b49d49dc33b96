//! `Parameters`: as declared, and the values they get.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::TemplateError;
use crate::error::invalid;
use crate::properties::Properties;
use crate::value::kind;
use crate::yaml;

/// A parameter as the template declares it. Numbers are kept as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// `Type`, for example `String` or `CommaDelimitedList`.
    pub kind: String,
    /// `Default`; without one, a value must be given at deployment.
    pub default: Option<String>,
    pub description: Option<String>,
    /// Empty where any value is allowed.
    pub allowed_values: Vec<String>,
    pub allowed_pattern: Option<String>,
    pub constraint_description: Option<String>,
    pub min_value: Option<String>,
    pub max_value: Option<String>,
    pub min_length: Option<String>,
    pub max_length: Option<String>,
}

/// The parameters that a template declares, in the order of the template.
///
/// # Errors
///
/// If the template is not YAML, or a parameter is malformed.
pub fn parameters(source: &str) -> Result<Vec<Parameter>, TemplateError> {
    let root = yaml::parse(source)?;
    let declared = match root.get("Parameters") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(declared)) => declared,
        Some(other) => return Err(invalid("Parameters", format!("expected a mapping, found {}", kind(Some(other))))),
    };
    yaml::keys_of(source, "Parameters")?.iter().map(|name| parameter(name, &declared[name])).collect()
}

fn parameter(name: &str, declaration: &Value) -> Result<Parameter, TemplateError> {
    let properties = Properties::of(Some(declaration.clone()), format!("Parameters.{name}"))?;
    Ok(Parameter {
        name: name.to_owned(),
        kind: properties.required_text("Type")?,
        default: properties.text("Default")?,
        description: properties.text("Description")?,
        allowed_values: properties.texts("AllowedValues")?,
        allowed_pattern: properties.text("AllowedPattern")?,
        constraint_description: properties.text("ConstraintDescription")?,
        min_value: properties.text("MinValue")?,
        max_value: properties.text("MaxValue")?,
        min_length: properties.text("MinLength")?,
        max_length: properties.text("MaxLength")?,
    })
}

/// The values of the declared parameters: the overrides, or else the defaults.
pub(crate) fn values(
    declared: &Map<String, Value>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        let known = declared.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err(invalid("Parameters", format!("the template has no parameter `{unknown}`; it has {known}")));
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let properties = Properties::of(Some(declaration.clone()), format!("Parameters.{name}"))?;
        let text = match overrides.get(name) {
            Some(text) => text.clone(),
            None => properties
                .text("Default")?
                .ok_or_else(|| properties.error("Default", "this parameter has no default; give it a value"))?,
        };
        let allowed = properties.texts("AllowedValues")?;
        if !allowed.is_empty() && !allowed.contains(&text) {
            let problem = format!("`{text}` is not one of {}", allowed.join(", "));
            return Err(properties.error("AllowedValues", problem));
        }
        let kind = properties.required_text("Type")?;
        if kind == "Number" {
            check_number(&properties, &text)?;
        }
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        values.insert(name.clone(), if is_list { list(&text) } else { Value::String(text) });
    }
    Ok(values)
}

fn list(text: &str) -> Value {
    if text.is_empty() {
        return Value::Array(Vec::new());
    }
    text.split(',').map(|item| Value::from(item.trim())).collect()
}

fn check_number(properties: &Properties, text: &str) -> Result<(), TemplateError> {
    let Ok(number) = text.parse::<f64>() else {
        return Err(properties.error("Type", format!("`{text}` is not a number")));
    };
    let limit = |name: &str| Ok::<_, TemplateError>(properties.text(name)?.and_then(|limit| limit.parse::<f64>().ok()));
    let too_small = limit("MinValue")?.is_some_and(|min| number < min);
    let too_large = limit("MaxValue")?.is_some_and(|max| number > max);
    if too_small || too_large {
        return Err(properties.error("Type", format!("`{text}` is outside MinValue and MaxValue")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_the_order_of_the_template() {
        let source = "
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod], Description: Last part of the URL}
  Memory: {Type: Number, Default: 256, MinValue: 128, MaxValue: 1024}
  Key: {Type: String, AllowedPattern: '[a-z]+', MinLength: 1, MaxLength: 9, ConstraintDescription: letters}
";
        let parameters = parameters(source).unwrap();
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["Stage", "Memory", "Key"]);
        let [stage, memory, key] = <&[Parameter; 3]>::try_from(parameters.as_slice()).unwrap();
        assert_eq!(stage.default.as_deref(), Some("dev"));
        assert_eq!(stage.allowed_values, ["dev", "prod"]);
        assert_eq!(stage.description.as_deref(), Some("Last part of the URL"));
        assert_eq!(memory.kind, "Number");
        assert_eq!(memory.default.as_deref(), Some("256"));
        assert_eq!(memory.min_value.as_deref(), Some("128"));
        assert_eq!(memory.max_value.as_deref(), Some("1024"));
        assert_eq!(key.default, None);
        assert_eq!(key.allowed_pattern.as_deref(), Some("[a-z]+"));
        assert_eq!(key.min_length.as_deref(), Some("1"));
        assert_eq!(key.max_length.as_deref(), Some("9"));
        assert_eq!(key.constraint_description.as_deref(), Some("letters"));
    }

    #[test]
    fn malformed_parameters_are_errors() {
        assert_eq!(parameters("Resources: {}\n").unwrap(), []);
        for (source, message) in [
            ("Parameters: [a]\n", "Parameters: expected a mapping, found a list"),
            ("Parameters: {A: {Default: 1}}\n", "Parameters.A.Type: this property is required"),
            ("Parameters: {A: {Type: [x]}}\n", "Parameters.A.Type: expected text, found a list"),
        ] {
            assert_eq!(parameters(source).unwrap_err().to_string(), message);
        }
    }
}
