//! Typed access to resolved properties. Parameters are texts, so a number or a boolean may arrive as one.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::TemplateError;
use crate::error::invalid;
use crate::value::{kind, text_of};

/// A resolved mapping and its path in the template.
pub(crate) struct Properties {
    at: String,
    map: Map<String, Value>,
}

impl Properties {
    /// Takes a resolved value that must be a mapping; a missing value counts as an empty one.
    pub(crate) fn of(value: Option<Value>, at: impl Into<String>) -> Result<Properties, TemplateError> {
        let at = at.into();
        match value {
            Some(Value::Object(map)) => Ok(Properties { at, map }),
            None | Some(Value::Null) => Ok(Properties { at, map: Map::new() }),
            other => Err(invalid(&at, format!("expected a mapping, found {}", kind(other.as_ref())))),
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    /// An error about one property.
    pub(crate) fn error(&self, name: &str, problem: impl Into<String>) -> TemplateError {
        invalid(&self.path(name), problem)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.map.iter()
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        self.get(name).map(|value| text_of(value).ok_or_else(|| self.unexpected(name, "text", value))).transpose()
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?.ok_or_else(|| self.error(name, "this property is required"))
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
        let number = number.ok_or_else(|| self.unexpected(name, "a whole number", value))?;
        match N::try_from(number).ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let problem = format!("{number} is not between {} and {}", range.start(), range.end());
                Err(self.error(name, problem))
            }
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, TemplateError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(boolean)) => Ok(Some(*boolean)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(value) => Err(self.unexpected(name, "true or false", value)),
        }
    }

    /// A list of texts; a single text is a list of one.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, TemplateError> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        items.iter().map(|item| text_of(item).ok_or_else(|| self.unexpected(name, "a list of texts", item))).collect()
    }

    /// A list of mappings, empty if the property is missing.
    pub(crate) fn mappings(&self, name: &str) -> Result<Vec<Properties>, TemplateError> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(value) => return Err(self.unexpected(name, "a list", value)),
        };
        let path = self.path(name);
        items.iter().enumerate().map(|(i, item)| Properties::of(Some(item.clone()), format!("{path}[{i}]"))).collect()
    }

    /// A nested mapping, empty if the property is missing.
    pub(crate) fn nested(&self, name: &str) -> Result<Properties, TemplateError> {
        Properties::of(self.get(name).cloned(), self.path(name))
    }

    fn unexpected(&self, name: &str, expected: &str, found: &Value) -> TemplateError {
        self.error(name, format!("expected {expected}, found {}", kind(Some(found))))
    }
}
