//! Resolves the values of a template: functions by [`intrinsics`](crate::intrinsics), the resources that they refer to
//! by [`names`](crate::names).

use serde_json::Value;

use crate::TemplateError;
use crate::intrinsics::ResourceNames as _;
use crate::names::PhysicalNames;
use crate::properties::Properties;
use crate::scope::Scope;

/// In every method, `at` is the path of the value in the template, for error messages.
pub(crate) struct Resolver {
    pub(crate) scope: Scope,
}

impl Resolver {
    /// Resolves a value that must be text; numbers and booleans are converted.
    pub(crate) fn text(&self, value: &Value, at: &str) -> Result<String, TemplateError> {
        self.names().evaluator().text(value, at, 0)
    }

    /// Whether a named condition holds.
    pub(crate) fn condition(&self, name: &str, at: &str) -> Result<bool, TemplateError> {
        self.names().evaluator().named_condition(name, at, 0)
    }

    /// The resolved properties of a resource.
    pub(crate) fn properties(&self, id: &str) -> Result<Properties, TemplateError> {
        let at = format!("Resources.{id}.Properties");
        let properties = &self.scope.resources[id]["Properties"];
        Properties::of(self.names().evaluator().value(properties, &at, 0)?, at)
    }

    /// A resource's physical name.
    pub(crate) fn name(&self, id: &str) -> Result<String, TemplateError> {
        self.names().name(id, 0)
    }

    /// The value of `Ref` for a resource.
    pub(crate) fn reference(&self, id: &str, at: &str) -> Result<String, TemplateError> {
        self.names().reference(id, at, 0)
    }

    /// The value of `Fn::GetAtt` for a resource.
    pub(crate) fn attribute(&self, id: &str, attribute: &str, at: &str) -> Result<String, TemplateError> {
        self.names().attribute(id, attribute, at, 0)
    }

    pub(crate) fn stream_arn(&self, table: &str) -> String {
        self.names().stream_arn(table)
    }

    pub(crate) fn secret_arn(&self, id: &str) -> Result<String, TemplateError> {
        self.names().secret_arn(id, 0)
    }

    pub(crate) fn api_id(&self, id: &str) -> String {
        self.names().api_id(id)
    }

    fn names(&self) -> PhysicalNames<'_> {
        PhysicalNames { scope: &self.scope }
    }
}
