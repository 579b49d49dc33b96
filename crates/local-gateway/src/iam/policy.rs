//! Evaluates a function's statements: a `Deny` overrides every `Allow`, and what no statement allows is denied.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::condition::Condition;
use super::grant::Grant;
use super::pattern::{action_matches, arn_matches};
use super::permission::Permission;
use sam_template::Statement;

/// One action on one resource of a statement, which allows or denies it.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// `Allow` or `Deny`
    pub allow: bool,
    pub grant: Grant,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
pub(super) enum Decision<'r> {
    /// By these rules, each of which suffices.
    Allowed(Vec<&'r Rule>),
    Denied {
        /// By a `Deny`, rather than for lack of an `Allow`.
        explicitly: bool,
    },
}

impl Rule {
    /// The rules of a statement: one for each action on each resource.
    pub(super) fn of(function: &str, statement: &Statement) -> Vec<Rule> {
        let conditions = Condition::of(&statement.condition);
        for condition in &conditions {
            if let Condition::Unknown(condition) = condition {
                let actions = statement.actions.join(", ");
                let effect = if statement.allow { "grants nothing" } else { "always denies" };
                tracing::warn!(
                    "{function}: the statement about {actions} {effect}: its condition {condition} is not supported"
                );
            }
        }
        let grants = statement.actions.iter().flat_map(|action| {
            let grant = move |resource: &String| Grant {
                function: function.to_owned(),
                action: action.clone(),
                resource: resource.clone(),
            };
            statement.resources.iter().map(grant)
        });
        grants.map(|grant| Rule { allow: statement.allow, grant, conditions: conditions.clone() }).collect()
    }

    /// Whether the rule applies to a permission; `None` if its conditions cannot be evaluated.
    pub(super) fn applies(&self, permission: &Permission) -> Option<bool> {
        if !action_matches(&self.grant.action, &permission.action)
            || !arn_matches(&self.grant.resource, &permission.resource)
        {
            return Some(false);
        }
        let held: Vec<Option<bool>> = self.conditions.iter().map(|condition| condition.holds(permission)).collect();
        if held.contains(&Some(false)) {
            Some(false)
        } else {
            held.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
        }
    }
}

/// Decides about one permission. A rule that may or may not apply counts if it denies, but not if it allows.
pub(super) fn decide<'r>(rules: impl Iterator<Item = &'r Rule>, permission: &Permission) -> Decision<'r> {
    let (allow, deny): (Vec<&Rule>, Vec<&Rule>) = rules.partition(|rule| rule.allow);
    if deny.iter().any(|rule| rule.applies(permission) != Some(false)) {
        return Decision::Denied { explicitly: true };
    }
    let by: Vec<&Rule> = allow.into_iter().filter(|rule| rule.applies(permission) == Some(true)).collect();
    if by.is_empty() { Decision::Denied { explicitly: false } } else { Decision::Allowed(by) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOTES: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/demo-Notes";

    fn statement(allow: bool, actions: &[&str], resources: &[&str], condition: Value) -> Statement {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Statement { sid: None, allow, actions: owned(actions), resources: owned(resources), condition }
    }

    /// `allowed`, `denied` or `forbidden`
    fn decision(statements: &[Statement], action: &str, resource: &str) -> &'static str {
        let rules: Vec<Rule> = statements.iter().flat_map(|statement| Rule::of("F", statement)).collect();
        let leading_keys = Some(["a".to_owned()].into());
        let permission = Permission { action: action.to_owned(), resource: resource.to_owned(), leading_keys };
        match decide(rules.iter(), &permission) {
            Decision::Allowed(_) => "allowed",
            Decision::Denied { explicitly: false } => "denied",
            Decision::Denied { explicitly: true } => "forbidden",
        }
    }

    #[test]
    fn denies_by_default() {
        let statements = [
            statement(true, &["dynamodb:GetItem", "dynamodb:Query"], &[NOTES], Value::Null),
            statement(true, &["dynamodb:PutItem"], &["arn:aws:dynamodb:*:*:table/demo-D*"], Value::Null),
        ];
        assert_eq!(decision(&statements, "dynamodb:GetItem", NOTES), "allowed");
        assert_eq!(decision(&statements, "dynamodb:PutItem", NOTES), "denied");
        assert_eq!(decision(&statements, "dynamodb:PutItem", &NOTES.replace("Notes", "Drafts")), "allowed");
        assert_eq!(decision(&statements, "dynamodb:Query", &format!("{NOTES}/index/by-tag")), "denied");
        assert_eq!(decision(&[], "dynamodb:GetItem", NOTES), "denied");
    }

    #[test]
    fn deny_overrides_allow() {
        let everything = statement(true, &["*"], &["*"], Value::Null);
        let but_deleting = statement(false, &["dynamodb:Delete*"], &["*"], Value::Null);
        for statements in [[everything.clone(), but_deleting.clone()], [but_deleting, everything]] {
            assert_eq!(decision(&statements, "dynamodb:DeleteItem", NOTES), "forbidden");
            assert_eq!(decision(&statements, "dynamodb:GetItem", NOTES), "allowed");
        }
    }

    #[test]
    fn unsupported_conditions_never_grant() {
        let unknown = json!({"Bool": {"aws:SecureTransport": "true"}});
        let one = statement(true, &["*"], &["*"], unknown.clone());
        assert_eq!(decision(std::slice::from_ref(&one), "dynamodb:GetItem", NOTES), "denied");
        let everything = statement(true, &["*"], &["*"], Value::Null);
        let deny = statement(false, &["*"], &["*"], unknown);
        assert_eq!(decision(&[everything, deny], "dynamodb:GetItem", NOTES), "forbidden");
    }

    #[test]
    fn conditions_narrow_statements() {
        let of = |key: &str| json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [key]}});
        let own = statement(true, &["dynamodb:GetItem"], &[NOTES], of("a"));
        assert_eq!(decision(std::slice::from_ref(&own), "dynamodb:GetItem", NOTES), "allowed");
        let others = statement(true, &["dynamodb:GetItem"], &[NOTES], of("b"));
        assert_eq!(decision(std::slice::from_ref(&others), "dynamodb:GetItem", NOTES), "denied");
        let not_others = statement(false, &["*"], &["*"], of("b"));
        assert_eq!(decision(&[own, not_others], "dynamodb:GetItem", NOTES), "allowed");
    }
}
