//! Typed access to a resource's resolved properties. Parameters are texts, so a number or a truth value may arrive as one.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::TemplateError;
use crate::intrinsics::{invalid, kind};

/// A resolved mapping and its place in the template.
pub(crate) struct Properties {
    at: String,
    map: Map<String, Value>,
}

/// A plain value as text; `None` for lists, mappings and nothing.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

impl Properties {
    /// Takes a resolved value that has to be a mapping; nothing at all counts as an empty one.
    pub(crate) fn of(value: Option<Value>, at: impl Into<String>) -> Result<Properties, TemplateError> {
        let at = at.into();
        match value {
            Some(Value::Object(map)) => Ok(Properties { at, map }),
            None | Some(Value::Null) => Ok(Properties { at, map: Map::new() }),
            other => Err(invalid(&at, format!("this has to be a mapping, not {}", kind(other.as_ref())))),
        }
    }

    /// The place of a property.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    /// An error about one property.
    pub(crate) fn wrong(&self, name: &str, problem: impl Into<String>) -> TemplateError {
        invalid(&self.path(name), problem)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.map.iter()
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        self.get(name).map(|value| text_of(value).ok_or_else(|| self.not(name, "a text", value))).transpose()
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "this property is required"))
    }

    /// A whole number within a range.
    pub(crate) fn number<N>(&self, name: &str, range: RangeInclusive<N>) -> Result<Option<N>, TemplateError>
    where
        N: TryFrom<i64> + PartialOrd + Display,
    {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.not(name, "a whole number", value))?;
        match N::try_from(number).ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let problem = format!("{number} is not between {} and {}", range.start(), range.end());
                Err(self.wrong(name, problem))
            }
        }
    }

    pub(crate) fn truth(&self, name: &str) -> Result<Option<bool>, TemplateError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(value) => Err(self.not(name, "true or false", value)),
        }
    }

    /// A list of texts; a single text is a list of one.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, TemplateError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(|item| text_of(item).ok_or_else(|| self.not(name, "a list of texts", item))).collect()
            }
            Some(value) => {
                text_of(value).map(|text| vec![text]).ok_or_else(|| self.not(name, "a list of texts", value))
            }
        }
    }

    /// A list of anything, empty where the property is missing.
    pub(crate) fn list(&self, name: &str) -> Result<&[Value], TemplateError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(value) => Err(self.not(name, "a list", value)),
        }
    }

    /// A list of mappings, empty where the property is missing.
    pub(crate) fn mappings(&self, name: &str) -> Result<Vec<Properties>, TemplateError> {
        let items = self.list(name)?.iter().enumerate();
        items.map(|(i, item)| Properties::of(Some(item.clone()), format!("{}[{i}]", self.path(name)))).collect()
    }

    /// A mapping below this one; empty where the property is missing.
    pub(crate) fn below(&self, name: &str) -> Result<Properties, TemplateError> {
        Properties::of(self.get(name).cloned(), self.path(name))
    }

    fn not(&self, name: &str, wanted: &str, value: &Value) -> TemplateError {
        self.wrong(name, format!("this has to be {wanted}, not {}", kind(Some(value))))
    }
}
