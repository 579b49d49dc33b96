//! From the text of a template to [`Template`]: parameters and globals first, then resources by type, then outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::invalid;
use crate::globals::with_globals;
use crate::resolver::Resolver;
use crate::scope::Scope;
use crate::value::{kind, text_of};
use crate::{Output, StackContext, Template, TemplateError, api, functions, parameters, secrets, tables, yaml};

/// Reads a template file without resolving anything: intrinsic functions stay in their long form.
///
/// # Errors
///
/// If the file cannot be read, or is not YAML.
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
    /// If the file cannot be read or used; see [`TemplateError`].
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
    /// As for [`Template::read`].
    pub fn parse(
        source: &str,
        stack: StackContext,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Template, TemplateError> {
        let root = yaml::parse(source)?;
        let resolver = Resolver { scope: scope(&root, stack, overrides)? };
        let resolver = with_resources(resolver, &root)?;
        assemble(&resolver, &section(&root, "Outputs")?)
    }
}

fn section(root: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, TemplateError> {
    match root.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(other) => Err(invalid(name, format!("expected a mapping, found {}", kind(Some(other))))),
    }
}

fn scope(
    root: &Map<String, Value>,
    stack: StackContext,
    overrides: &BTreeMap<String, String>,
) -> Result<Scope, TemplateError> {
    Ok(Scope {
        stack,
        parameters: parameters::values(&section(root, "Parameters")?, overrides)?,
        mappings: section(root, "Mappings")?,
        conditions: section(root, "Conditions")?,
        resources: BTreeMap::new(),
        generated: BTreeMap::new(),
    })
}

/// Adds the resources whose condition holds, and the logical ids that SAM generates for them.
fn with_resources(mut resolver: Resolver, root: &Map<String, Value>) -> Result<Resolver, TemplateError> {
    let resources = section(root, "Resources")?;
    if resources.is_empty() {
        return Err(invalid("Resources", "the template describes no resource"));
    }
    let globals = section(root, "Globals")?;
    for (id, resource) in resources {
        let at = format!("Resources.{id}");
        let Some(resource_type) = resource.get("Type").and_then(Value::as_str).map(str::to_owned) else {
            return Err(invalid(&format!("{at}.Type"), "every resource needs a type"));
        };
        if applies(&resolver, &resource, &at)? {
            let resource = with_globals(&globals, &resource_type, resource);
            resolver.scope.resources.insert(id, resource);
        }
    }
    let scope = &mut resolver.scope;
    let ids: Vec<String> = scope.resources.keys().cloned().collect();
    for id in ids {
        match scope.resource_type(&id) {
            "AWS::Serverless::WebSocketApi" => {
                let generated = api::generated_ids(&id, &scope.resources[&id])?;
                scope.generated.extend(generated);
            }
            "AWS::Serverless::Function" => {
                let role = format!("{}-{id}Role", scope.stack.stack_name);
                scope.generated.insert(format!("{id}Role"), role);
            }
            _ => {}
        }
    }
    Ok(resolver)
}

/// Whether the `Condition` of a resource or an output holds.
fn applies(resolver: &Resolver, entry: &Value, at: &str) -> Result<bool, TemplateError> {
    match entry.get("Condition").and_then(Value::as_str) {
        None => Ok(true),
        Some(condition) => resolver.condition(condition, &format!("{at}.Condition")),
    }
}

fn assemble(resolver: &Resolver, outputs: &Map<String, Value>) -> Result<Template, TemplateError> {
    let scope = &resolver.scope;
    let mut template = Template {
        stack: scope.stack.clone(),
        folder: PathBuf::new(),
        parameters: scope.parameters.iter().map(|(name, value)| (name.clone(), joined(value))).collect(),
        functions: BTreeMap::new(),
        tables: BTreeMap::new(),
        api: None,
        secrets: BTreeMap::new(),
        outputs: BTreeMap::new(),
        references: BTreeMap::new(),
    };
    let responses = api::route_responses(resolver)?;
    for id in scope.resources.keys() {
        let at = format!("Resources.{id}.Properties");
        template.references.insert(id.clone(), resolver.reference(id, &at)?);
        match scope.resource_type(id) {
            "AWS::Serverless::Function" => {
                let function = functions::function(resolver, id, &resolver.properties(id)?)?;
                template.functions.insert(id.clone(), function);
            }
            "AWS::DynamoDB::Table" => {
                template.tables.insert(id.clone(), tables::table(resolver, id, &resolver.properties(id)?)?);
            }
            "AWS::SecretsManager::Secret" => {
                template.secrets.insert(id.clone(), secrets::secret(resolver, id, &resolver.properties(id)?)?);
            }
            "AWS::Serverless::WebSocketApi" => {
                if let Some(other) = &template.api {
                    let problem = format!("only one WebSocket API is supported; `{}` is another", other.logical_id);
                    return Err(invalid(&at, problem));
                }
                template.api = Some(api::api(resolver, id, &resolver.properties(id)?, &responses)?);
            }
            _ => {}
        }
    }
    if let Some((id, name)) = duplicate(template.tables.iter().map(|(id, table)| (id, &table.name))) {
        let path = format!("Resources.{id}.Properties.TableName");
        return Err(invalid(&path, format!("another table is named `{name}` too")));
    }
    for (name, output) in outputs {
        let at = format!("Outputs.{name}");
        if !applies(resolver, output, &at)? {
            continue;
        }
        let description = output.get("Description").and_then(Value::as_str).unwrap_or_default().to_owned();
        let value = resolver.text(output.get("Value").unwrap_or(&Value::Null), &format!("{at}.Value"))?;
        template.outputs.insert(name.clone(), Output { description, value });
    }
    Ok(template)
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
