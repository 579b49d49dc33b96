//! IAM: a function may do what the statements of its `Policies` allow and nothing else, and is denied in the words of
//! AWS. Other signed requests (a person with the AWS CLI, a test) may do everything, as an administrator; unsigned ones
//! are rejected earlier.
//!
//! `policy` evaluates policies, and `permission` tells what a call needs. Reading streams needs no permission here:
//! Lambda reads them for a function, under a policy that SAM adds automatically.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

mod condition;
mod denial;
mod grant;
mod pattern;
mod permission;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use denial::Denial;
pub use grant::Grant;

use crate::secrets::Secrets;
use permission::{Permission, Permissions};
use policy::{Decision, Rule};
use sam_template::{Policy, Template};

/// The permissions of a template's functions. Clones share them.
#[derive(Clone)]
pub struct Iam(Arc<Inner>);

struct Inner {
    permissions: Permissions,
    /// By the logical id of the function
    rules: BTreeMap<String, Vec<Rule>>,
    /// The ARNs that denials name, by the logical id of the function
    principals: BTreeMap<String, String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often each grant allowed a call.
    used: BTreeMap<Grant, u64>,
    revoked: BTreeSet<Grant>,
    /// How many calls were denied because a grant was revoked.
    denied: BTreeMap<Grant, u64>,
    /// The advice that was logged. A denied call is often repeated, but logged only once.
    logged: BTreeSet<String>,
}

impl Iam {
    /// Reads the policies of a template's functions. Unsupported parts are logged and grant nothing.
    pub fn of(template: &Template) -> Iam {
        let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        let mut principals = BTreeMap::new();
        for (id, function) in &template.functions {
            let rules = rules.entry(id.clone()).or_default();
            for policy in &function.policies {
                match policy {
                    Policy::Statements(statements) => {
                        rules.extend(statements.iter().flat_map(|statement| Rule::of(id, statement)));
                    }
                    Policy::SamTemplate { name, .. } | Policy::Managed(name) => tracing::warn!(
                        "{id}: the policy {name} grants nothing here; only statements in the template are supported"
                    ),
                }
            }
            // SAM names the role so; CloudFormation adds the stack's name and a random suffix.
            let role = format!("{}-{id}Role", template.stack.stack_name);
            let principal = format!("arn:aws:sts::{}:assumed-role/{role}/{}", template.stack.account, function.name);
            principals.insert(id.clone(), principal);
        }
        Iam(Arc::new(Inner { permissions: Permissions::of(template), rules, principals, state: Mutex::default() }))
    }

    /// Everything that the functions' own statements allow.
    pub fn granted(&self) -> BTreeSet<Grant> {
        let rules = self.0.rules.values().flatten();
        rules.filter(|rule| rule.allow).map(|rule| rule.grant.clone()).collect()
    }

    /// The grants used so far, and how often.
    pub fn used(&self) -> BTreeMap<Grant, u64> {
        self.state().used.clone()
    }

    /// Revokes a grant, as if it were not in the template.
    pub fn revoke(&self, grant: &Grant) {
        self.state().revoked.insert(grant.clone());
    }

    /// Restores a revoked grant.
    pub fn restore(&self, grant: &Grant) {
        self.state().revoked.remove(grant);
    }

    /// How many calls were denied because this grant was revoked.
    pub fn denied_by_revoking(&self, grant: &Grant) -> u64 {
        self.state().denied.get(grant).copied().unwrap_or_default()
    }

    /// The advice logged for denied calls: one line per missing statement.
    pub fn denials(&self) -> BTreeSet<String> {
        self.state().logged.clone()
    }

    /// Whether a function may call DynamoDB.
    pub(crate) fn allow_dynamodb(&self, function: &str, operation: &str, request: &Value) -> Result<(), Denial> {
        self.allow(function, &self.0.permissions.of_dynamodb(operation, request))
    }

    /// Whether a function may call Secrets Manager.
    pub(crate) fn allow_secrets(
        &self,
        function: &str,
        operation: &str,
        request: &Value,
        secrets: &Secrets,
    ) -> Result<(), Denial> {
        self.allow(function, &self.0.permissions.of_secrets(operation, request, secrets))
    }

    /// Whether a function may make a request to `@connections`.
    pub(crate) fn allow_connections(&self, function: &str, method: &str, connection: &str) -> Result<(), Denial> {
        self.allow(function, &self.0.permissions.of_connections(method, connection))
    }

    /// A call is allowed if all its permissions are granted.
    fn allow(&self, function: &str, permissions: &[Permission]) -> Result<(), Denial> {
        let rules = self.0.rules.get(function).map(Vec::as_slice).unwrap_or_default();
        let mut state = self.state();
        for permission in permissions {
            let in_force = |rule: &&Rule| !(rule.allow && state.revoked.contains(&rule.grant));
            match policy::decide(rules.iter().filter(in_force), permission) {
                Decision::Allowed(by) => {
                    for rule in by {
                        *state.used.entry(rule.grant.clone()).or_default() += 1;
                    }
                }
                Decision::Denied { explicitly } => {
                    for rule in rules.iter().filter(|rule| rule.allow && rule.applies(permission) == Some(true)) {
                        *state.denied.entry(rule.grant.clone()).or_default() += 1;
                    }
                    let principal = self.0.principals.get(function).cloned().unwrap_or_default();
                    let denial = Denial::new(principal, permission, explicitly);
                    let advice = denial.advice(function, &self.0.permissions);
                    if !state.logged.contains(&advice) {
                        tracing::error!("{advice}");
                        state.logged.insert(advice);
                    }
                    return Err(denial);
                }
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
