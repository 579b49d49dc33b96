//! Reads a SAM template: parameters, conditions, mappings, globals and intrinsic functions are resolved, and what is left
//! is the model of [`model`].
//!
//! Only what the gateway can act on is read. A resource of another type is tolerated: it has a name and an ARN for those
//! who refer to it, and its properties are not looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;

mod api;
mod functions;
mod intrinsics;
mod model;
mod names;
mod properties;
mod read;
mod tables;
#[cfg(test)]
mod tests;
mod yaml;

pub use model::*;
pub use read::read_unresolved;

/// Where a stack pretends to be deployed: what the pseudo parameters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackContext {
    /// `AWS::StackName`; the first part of every physical name.
    pub stack_name: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
}

impl StackContext {
    /// A stack of that name in `us-east-1`, in an account that exists nowhere.
    pub fn local(stack_name: impl Into<String>) -> StackContext {
        StackContext { stack_name: stack_name.into(), region: "us-east-1".into(), account: "123456789012".into() }
    }
}

/// A template, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Where it pretends to be deployed.
    pub stack: StackContext,
    /// The folder that `CodeUri` is relative to.
    pub folder: PathBuf,
    /// `Parameters`: overrides, else defaults. Lists are joined by commas.
    pub parameters: BTreeMap<String, String>,
    /// `AWS::Serverless::Function`, by logical id.
    pub functions: BTreeMap<String, Function>,
    /// `AWS::DynamoDB::Table`, by logical id.
    pub tables: BTreeMap<String, Table>,
    /// `AWS::Serverless::WebSocketApi`: the one of the template, where it has one.
    pub api: Option<WebSocketApi>,
    /// `AWS::SecretsManager::Secret`, by logical id.
    pub secrets: BTreeMap<String, Secret>,
    /// `Outputs`, by name.
    pub outputs: BTreeMap<String, Output>,
    /// What `Ref` says of every resource, by logical id: a table's or function's name, a secret's ARN, an API's id.
    pub references: BTreeMap<String, String>,
}

/// Why a template cannot be used: one sentence that names the resource and the property.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("the template {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not YAML.
    #[error("the template is not valid YAML: {0}")]
    NotYaml(String),
    /// Something in it is missing, of the wrong type or refers to nothing.
    #[error("{path}: {problem}")]
    Invalid {
        /// The path to it, for example `Resources.ChatApi.Properties.Routes.sendMessage.FunctionArn`.
        path: String,
        /// What is wrong.
        problem: String,
    },
}
