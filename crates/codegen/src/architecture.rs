//! The functions and tables of `template.yaml`.

use std::collections::BTreeMap;

use sam_template::{Function, StackContext, Template};

use crate::markdown::{cell, codes, table};
use crate::repository::{CodegenError, root};

/// A table of functions and a table of tables.
pub fn tables() -> Result<String, CodegenError> {
    let path = root().join("template.yaml");
    let template = Template::read(&path, StackContext::local("damso"), &BTreeMap::new())?;
    let source = sam_template::read_unresolved(&path)?;
    let mut functions = Vec::new();
    for function in template.functions.values() {
        let properties = &source["Resources"][&function.logical_id]["Properties"];
        let description = properties["Description"].as_str().unwrap_or_default();
        functions.push(vec![format!("`{}`", function.binary()), invoked_by(&template, function), cell(description)]);
    }
    let mut stored = Vec::new();
    for kept in template.tables.values() {
        let output = template.outputs.get(&format!("{}Name", kept.logical_id));
        let Some(output) = output else {
            return Err(CodegenError::Incomplete(format!("{} has no output that describes it", kept.logical_id)));
        };
        let key = [Some(&kept.key.partition), kept.key.sort.as_ref()].into_iter().flatten();
        let expires = if kept.ttl_attribute.is_some() { "yes" } else { "no" };
        let name = table_name(&kept.logical_id);
        stored.push(vec![format!("`{name}`"), codes(key), cell(&output.description), expires.to_owned()]);
    }
    Ok(format!(
        "{}\n{}",
        table(&["function", "invoked by", "purpose"], functions),
        table(&["table", "key", "contents", "rows expire"], stored)
    ))
}

/// `MessagesTable` → `messages`.
pub fn table_name(logical_id: &str) -> String {
    logical_id.trim_end_matches("Table").to_lowercase()
}

fn invoked_by(template: &Template, function: &Function) -> String {
    let api = template.api.as_ref();
    if api.and_then(|api| api.authorizer.as_ref()).is_some_and(|authorizer| authorizer.function == function.logical_id)
    {
        return "every handshake".to_owned();
    }
    let streams: Vec<String> =
        function.streams.iter().map(|stream| format!("the stream of `{}`", table_name(&stream.table))).collect();
    if !streams.is_empty() {
        return streams.join(", ");
    }
    let routes = api.into_iter().flat_map(|api| api.routes.values());
    codes(routes.filter(|route| route.function == function.logical_id).map(|route| &route.key))
}
