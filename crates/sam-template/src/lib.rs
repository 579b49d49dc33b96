//! Reads a SAM template and resolves its parameters, conditions, mappings, globals and intrinsic functions into plain
//! values.
//!
//! Only what a local stack can act on is read. A resource of any other type still has a name and an ARN, for the
//! resources that refer to it; its properties are ignored.
//!
//! The modules build on each other in this order, and never the other way round: `error`, `value`, `scope` and
//! `identifiers`; `intrinsics`, which evaluates functions; `names`, the physical names of resources; `resolver`, which
//! joins the two; a module per resource type; and `read`, which puts the template together.

use std::collections::BTreeMap;
use std::path::PathBuf;

mod api;
mod error;
mod functions;
mod globals;
mod identifiers;
mod intrinsics;
mod model;
mod names;
mod parameters;
mod policies;
mod properties;
mod read;
mod resolver;
mod scope;
mod secrets;
mod stream_events;
mod substitution;
mod tables;
#[cfg(test)]
mod tests;
mod value;
mod yaml;

pub use error::TemplateError;
pub use model::*;
pub use parameters::{Parameter, parameters};
pub use read::read_unresolved;

/// Where a stack claims to be deployed: the values of the pseudo parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackContext {
    /// `AWS::StackName`, the first part of every physical name.
    pub stack_name: String,
    /// `AWS::Region`
    pub region: String,
    /// `AWS::AccountId`
    pub account: String,
}

impl StackContext {
    /// A stack in `us-east-1`, in a placeholder account.
    pub fn local(stack_name: impl Into<String>) -> StackContext {
        StackContext { stack_name: stack_name.into(), region: "us-east-1".into(), account: "123456789012".into() }
    }
}

/// A template with everything resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub stack: StackContext,
    /// The folder that `CodeUri` is relative to.
    pub folder: PathBuf,
    /// `Parameters`: the overrides, or else the defaults. Lists are joined by commas.
    pub parameters: BTreeMap<String, String>,
    /// `AWS::Serverless::Function`, by logical id.
    pub functions: BTreeMap<String, Function>,
    /// `AWS::DynamoDB::Table`, by logical id.
    pub tables: BTreeMap<String, Table>,
    /// `AWS::Serverless::WebSocketApi`; a template may have one.
    pub api: Option<WebSocketApi>,
    /// `AWS::SecretsManager::Secret`, by logical id.
    pub secrets: BTreeMap<String, Secret>,
    /// `Outputs`, by name.
    pub outputs: BTreeMap<String, Output>,
    /// The value of `Ref` for every resource, by logical id: a table's or function's name, a secret's ARN, an API's id.
    pub references: BTreeMap<String, String>,
}
