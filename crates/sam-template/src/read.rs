//! From the text of a template to [`Template`]: parameters and globals first, then resources by their types, then outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use crate::intrinsics::{Scope, invalid, kind};
use crate::properties::{Properties, text_of};
use crate::{Output, StackContext, Template, TemplateError, api, functions, names, tables, yaml};

/// Reads a template file without resolving anything: intrinsic functions stay, in their long form.
///
/// # Errors
///
/// [`TemplateError::Unreadable`] and [`TemplateError::NotYaml`].
pub fn read_unresolved(path: &Path) -> Result<Map<String, Value>, TemplateError> {
    yaml::parse(&text(path)?)
}

fn text(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path)
        .map_err(|source| TemplateError::Unreadable { path: path.display().to_string(), source })
}

impl Template {
    /// Reads a template file. `overrides` are parameter values, as `sam deploy --parameter-overrides` takes them.
    ///
    /// # Errors
    ///
    /// One sentence that names the resource and the property; see [`TemplateError`].
    pub fn read(
        path: &Path,
        stack: StackContext,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Template, TemplateError> {
        let mut template = Template::parse(&text(path)?, stack, overrides)?;
        template.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(template)
    }

    /// Reads a template from its text; `CodeUri`s are then relative to the working directory.
    ///
    /// # Errors
    ///
    /// As [`Template::read`].
    pub fn parse(
        source: &str,
        stack: StackContext,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Template, TemplateError> {
        let root = yaml::parse(source)?;
        let section = |name: &str| match root.get(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(other) => Err(invalid(name, format!("this has to be a mapping, not {}", kind(Some(other))))),
        };
        let resources = section("Resources")?;
        if resources.is_empty() {
            return Err(invalid("Resources", "the template describes no resource"));
        }
        let mut scope = Scope {
            stack,
            parameters: parameters(&section("Parameters")?, overrides)?,
            mappings: section("Mappings")?,
            conditions: section("Conditions")?,
            resources: BTreeMap::new(),
            generated: BTreeMap::new(),
        };
        let globals = section("Globals")?;
        for (id, resource) in resources {
            let at = format!("Resources.{id}");
            let Some(kind) = resource.get("Type").and_then(Value::as_str).map(str::to_owned) else {
                return Err(invalid(&format!("{at}.Type"), "every resource needs a type"));
            };
            if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
                && !scope.condition(condition, &format!("{at}.Condition"))?
            {
                continue;
            }
            let resource = with_globals(&globals, &kind, resource);
            scope.resources.insert(id, resource);
        }
        for (id, resource) in &scope.resources {
            match names::resource_type(&scope, id) {
                "AWS::Serverless::WebSocketApi" => scope.generated.extend(api::generated(id, resource)?),
                "AWS::Serverless::Function" => {
                    scope.generated.insert(format!("{id}Role"), format!("{}-{id}Role", scope.stack.stack_name));
                }
                _ => {}
            }
        }
        assemble(scope, &section("Outputs")?)
    }
}

fn assemble(scope: Scope, outputs: &Map<String, Value>) -> Result<Template, TemplateError> {
    let mut template = Template {
        stack: scope.stack.clone(),
        folder: Default::default(),
        parameters: scope.parameters.iter().map(|(name, value)| (name.clone(), joined(value))).collect(),
        functions: BTreeMap::new(),
        tables: BTreeMap::new(),
        api: None,
        secrets: BTreeMap::new(),
        outputs: BTreeMap::new(),
        references: BTreeMap::new(),
    };
    let responses = api::route_responses(&scope)?;
    for (id, resource) in &scope.resources {
        let at = format!("Resources.{id}.Properties");
        template.references.insert(id.clone(), names::reference(&scope, id, &at, 0)?);
        let properties = || Properties::of(scope.resolve(&resource["Properties"], &at)?, &at);
        match names::resource_type(&scope, id) {
            "AWS::Serverless::Function" => {
                let function = functions::function(&scope, id, &properties()?)?;
                template.functions.insert(id.clone(), function);
            }
            "AWS::DynamoDB::Table" => {
                template.tables.insert(id.clone(), tables::table(&scope, id, &properties()?)?);
            }
            "AWS::SecretsManager::Secret" => {
                template.secrets.insert(id.clone(), tables::secret(&scope, id, &properties()?)?);
            }
            "AWS::Serverless::WebSocketApi" => {
                if let Some(other) = &template.api {
                    return Err(invalid(
                        &at,
                        format!("one WebSocket API is supported, and `{}` is one already", other.logical_id),
                    ));
                }
                template.api = Some(api::api(&scope, id, &properties()?, &responses)?);
            }
            _ => {}
        }
    }
    if let Some((id, name)) = duplicate(template.tables.iter().map(|(id, table)| (id, &table.name))) {
        return Err(invalid(
            &format!("Resources.{id}.Properties.TableName"),
            format!("another table is named `{name}` too"),
        ));
    }
    for (name, output) in outputs {
        let at = format!("Outputs.{name}");
        if let Some(condition) = output.get("Condition").and_then(Value::as_str)
            && !scope.condition(condition, &format!("{at}.Condition"))?
        {
            continue;
        }
        let description = output.get("Description").and_then(Value::as_str).unwrap_or_default().to_owned();
        let value = scope.text(output.get("Value").unwrap_or(&Value::Null), &format!("{at}.Value"))?;
        template.outputs.insert(name.clone(), Output { description, value });
    }
    Ok(template)
}

fn parameters(
    declared: &Map<String, Value>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        let known = declared.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err(invalid("Parameters", format!("the template has no parameter `{unknown}`; it has {known}")));
    }
    let mut parameters = BTreeMap::new();
    for (name, declaration) in declared {
        let properties = Properties::of(Some(declaration.clone()), format!("Parameters.{name}"))?;
        let text = match overrides.get(name) {
            Some(text) => text.clone(),
            None => properties.text("Default")?.ok_or_else(|| {
                properties.wrong("Default", "this parameter has no default, so a value has to be given")
            })?,
        };
        let allowed = properties.texts("AllowedValues")?;
        if !allowed.is_empty() && !allowed.contains(&text) {
            let problem = format!("`{text}` is not one of {}", allowed.join(", "));
            return Err(properties.wrong("AllowedValues", problem));
        }
        let kind = properties.required_text("Type")?;
        if kind == "Number" {
            check_number(&properties, &text)?;
        }
        let value = match kind == "CommaDelimitedList" || kind.starts_with("List<") {
            true if text.is_empty() => Value::Array(Vec::new()),
            true => text.split(',').map(|item| Value::from(item.trim())).collect(),
            false => Value::String(text),
        };
        parameters.insert(name.clone(), value);
    }
    Ok(parameters)
}

fn check_number(properties: &Properties, text: &str) -> Result<(), TemplateError> {
    let Ok(number) = text.parse::<f64>() else {
        return Err(properties.wrong("Type", format!("`{text}` is not a number")));
    };
    let limit = |name: &str| Ok::<_, TemplateError>(properties.text(name)?.and_then(|limit| limit.parse::<f64>().ok()));
    if limit("MinValue")?.is_some_and(|least| number < least) || limit("MaxValue")?.is_some_and(|most| number > most) {
        return Err(properties.wrong("Type", format!("`{text}` is outside MinValue and MaxValue")));
    }
    Ok(())
}

/// A resource with what `Globals` gives to all of its type: a resource's own plain value wins, mappings are merged, and
/// lists are joined, the global items first.
fn with_globals(globals: &Map<String, Value>, kind: &str, mut resource: Value) -> Value {
    let Some(shared) = kind.strip_prefix("AWS::Serverless::").and_then(|kind| globals.get(kind)) else {
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

fn joined(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().filter_map(text_of).collect::<Vec<_>>().join(","),
        other => text_of(other).unwrap_or_default(),
    }
}

fn duplicate<'a>(mut names: impl Iterator<Item = (&'a String, &'a String)>) -> Option<(&'a String, &'a String)> {
    let mut seen = BTreeSet::new();
    names.find(|(_, name)| !seen.insert(*name))
}
