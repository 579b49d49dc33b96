//! IAM on a laptop: a function may do what the statements of its `Policies` allow and nothing else, and is told so in the
//! words of AWS. Who signs and is no function (a person with the AWS CLI, a test) may do everything, as an administrator; who does not
//! sign is refused before this is asked.
//!
//! What a policy means is in `policy`, what a call needs in `need`; here is who remembers what was allowed and denied.
//! Reading streams needs no look: Lambda does that for a function, under a policy that SAM adds by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

mod condition;
mod denial;
mod need;
mod pattern;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use denial::Denial;

use crate::secrets::Secrets;
use need::{Need, Needs};
use policy::{Decision, Rule};
use sam_template::{Policy, Template};

/// One thing that a statement of a function's own policies allows it: one action on one resource, as the template writes
/// them once its intrinsic functions are resolved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The function's logical id.
    pub function: String,
    /// The action, for example `dynamodb:PutItem`; may hold `*` and `?`.
    pub action: String,
    /// The resource's ARN; may hold `*` and `?`.
    pub resource: String,
}

/// Who may do what. Clones are the same.
#[derive(Clone)]
pub struct Iam(Arc<Inner>);

struct Inner {
    needs: Needs,
    /// By the logical id of the function.
    rules: BTreeMap<String, Vec<Rule>>,
    /// Who a function is in a denial, by its logical id.
    principals: BTreeMap<String, String>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// How often each grant allowed a call.
    used: BTreeMap<Grant, u64>,
    /// What is taken away for now.
    deprived: BTreeSet<Grant>,
    /// How many calls were denied that a grant would have allowed that was taken away.
    missed: BTreeMap<Grant, u64>,
    /// What was already said in the log. A function that is denied something asks for it again and again.
    told: BTreeSet<String>,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.function, self.action, self.resource)
    }
}

impl Iam {
    /// The policies of the template's functions. What of them cannot be understood is said in the log, and grants nothing.
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
                        "{id}: the policy {name} grants nothing here, where only statements count that stand in the template"
                    ),
                }
            }
            // SAM names the role so, and CloudFormation puts the stack in front and letters behind.
            let role = format!("{}-{id}Role", template.stack.stack_name);
            let principal = format!("arn:aws:sts::{}:assumed-role/{role}/{}", template.stack.account, function.name);
            principals.insert(id.clone(), principal);
        }
        Iam(Arc::new(Inner { needs: Needs::of(template), rules, principals, seen: Mutex::default() }))
    }

    /// Everything that the functions' own statements allow them.
    pub fn granted(&self) -> BTreeSet<Grant> {
        let rules = self.0.rules.values().flatten();
        rules.filter(|rule| rule.allow).map(|rule| rule.grant.clone()).collect()
    }

    /// Which of it was made use of up to now, and how often.
    pub fn used(&self) -> BTreeMap<Grant, u64> {
        self.seen().used.clone()
    }

    /// Takes a grant away, as if it did not stand in the template.
    pub fn deprive(&self, grant: &Grant) {
        self.seen().deprived.insert(grant.clone());
    }

    /// Gives a grant back that was taken away.
    pub fn restore(&self, grant: &Grant) {
        self.seen().deprived.remove(grant);
    }

    /// How many calls were denied because this grant was taken away.
    pub fn missed(&self, grant: &Grant) -> u64 {
        self.seen().missed.get(grant).copied().unwrap_or_default()
    }

    /// What the log says of calls that were denied: one sentence for each statement that is missing.
    pub fn denials(&self) -> BTreeSet<String> {
        self.seen().told.clone()
    }

    /// Whether a function may make a call of DynamoDB.
    pub(crate) fn allow_dynamodb(&self, function: &str, operation: &str, request: &Value) -> Result<(), Denial> {
        self.allow(function, &self.0.needs.of_dynamodb(operation, request))
    }

    /// Whether a function may make a call of Secrets Manager.
    pub(crate) fn allow_secrets(
        &self,
        function: &str,
        operation: &str,
        request: &Value,
        secrets: &Secrets,
    ) -> Result<(), Denial> {
        self.allow(function, &self.0.needs.of_secrets(operation, request, secrets))
    }

    /// Whether a function may make a request to `@connections`.
    pub(crate) fn allow_connections(&self, function: &str, method: &str, connection: &str) -> Result<(), Denial> {
        self.allow(function, &self.0.needs.of_connections(method, connection))
    }

    /// A call is allowed if everything that it needs is.
    fn allow(&self, function: &str, needs: &[Need]) -> Result<(), Denial> {
        let rules = self.0.rules.get(function).map(Vec::as_slice).unwrap_or_default();
        let mut seen = self.seen();
        for need in needs {
            let counted = |rule: &&Rule| !(rule.allow && seen.deprived.contains(&rule.grant));
            match policy::decide(rules.iter().filter(counted), need) {
                Decision::Allowed(by) => {
                    for rule in by {
                        *seen.used.entry(rule.grant.clone()).or_default() += 1;
                    }
                }
                Decision::Denied { explicitly } => {
                    for rule in rules.iter().filter(|rule| rule.allow && rule.applies(need) == Some(true)) {
                        *seen.missed.entry(rule.grant.clone()).or_default() += 1;
                    }
                    let principal = self.0.principals.get(function).cloned().unwrap_or_default();
                    let denial = Denial::new(principal, need, explicitly);
                    let advice = denial.advice(function, &self.0.needs);
                    if !seen.told.contains(&advice) {
                        tracing::error!("{advice}");
                        seen.told.insert(advice);
                    }
                    return Err(denial);
                }
            }
        }
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
