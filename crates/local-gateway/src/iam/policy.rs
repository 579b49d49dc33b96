//! What a function's statements say to one need: a `Deny` wins over every `Allow`, and what nobody allows is denied.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::Grant;
use super::condition::Condition;
use super::need::Need;
use super::pattern::{fits_action, fits_arn};
use sam_template::Statement;

/// One action on one resource of a statement, and whether it is allowed or denied.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// `Allow`, else `Deny`.
    pub allow: bool,
    /// To whom, what and on what.
    pub grant: Grant,
    conditions: Vec<Condition>,
}

/// What the rules say.
#[derive(Debug)]
pub(super) enum Decision<'r> {
    /// By these rules, each of which would have been enough.
    Allowed(Vec<&'r Rule>),
    Denied {
        /// By a `Deny`, and not because nothing allows it.
        explicitly: bool,
    },
}

impl Rule {
    /// The rules of a function's statement: one for each of its actions on each of its resources.
    pub(super) fn of(function: &str, statement: &Statement) -> Vec<Rule> {
        let conditions = Condition::of(&statement.condition);
        for condition in &conditions {
            if let Condition::Unknown(condition) = condition {
                let actions = statement.actions.join(", ");
                let effect = if statement.allow { "grants nothing" } else { "denies always" };
                tracing::warn!(
                    "{function}: the statement about {actions} {effect} here, where its condition {condition} is not understood"
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

    /// Whether the rule is about a need; `None` where its condition does not tell.
    pub(super) fn applies(&self, need: &Need) -> Option<bool> {
        if !fits_action(&self.grant.action, &need.action) || !fits_arn(&self.grant.resource, &need.resource) {
            return Some(false);
        }
        let held: Vec<Option<bool>> = self.conditions.iter().map(|condition| condition.holds(need)).collect();
        if held.contains(&Some(false)) {
            Some(false)
        } else {
            held.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
        }
    }
}

/// Decides on one need. A rule that may or may not apply counts where it denies, and not where it allows.
pub(super) fn decide<'r>(rules: impl Iterator<Item = &'r Rule>, need: &Need) -> Decision<'r> {
    let (allow, deny): (Vec<&Rule>, Vec<&Rule>) = rules.partition(|rule| rule.allow);
    if deny.iter().any(|rule| rule.applies(need) != Some(false)) {
        return Decision::Denied { explicitly: true };
    }
    let by: Vec<&Rule> = allow.into_iter().filter(|rule| rule.applies(need) == Some(true)).collect();
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

    /// `allowed`, `denied` or `forbidden`.
    fn says(statements: &[Statement], action: &str, resource: &str) -> &'static str {
        let rules: Vec<Rule> = statements.iter().flat_map(|statement| Rule::of("F", statement)).collect();
        let leading_keys = Some(["a".to_owned()].into());
        let need = Need { action: action.to_owned(), resource: resource.to_owned(), leading_keys };
        match decide(rules.iter(), &need) {
            Decision::Allowed(_) => "allowed",
            Decision::Denied { explicitly: false } => "denied",
            Decision::Denied { explicitly: true } => "forbidden",
        }
    }

    #[test]
    fn what_no_statement_allows_is_denied() {
        let statements = [
            statement(true, &["dynamodb:GetItem", "dynamodb:Query"], &[NOTES], Value::Null),
            statement(true, &["dynamodb:PutItem"], &["arn:aws:dynamodb:*:*:table/demo-D*"], Value::Null),
        ];
        assert_eq!(says(&statements, "dynamodb:GetItem", NOTES), "allowed");
        assert_eq!(says(&statements, "dynamodb:PutItem", NOTES), "denied");
        assert_eq!(says(&statements, "dynamodb:PutItem", &NOTES.replace("Notes", "Drafts")), "allowed");
        assert_eq!(says(&statements, "dynamodb:Query", &format!("{NOTES}/index/by-tag")), "denied");
        assert_eq!(says(&[], "dynamodb:GetItem", NOTES), "denied");
    }

    #[test]
    fn a_deny_wins_wherever_it_stands() {
        let everything = statement(true, &["*"], &["*"], Value::Null);
        let but_deleting = statement(false, &["dynamodb:Delete*"], &["*"], Value::Null);
        for statements in [[everything.clone(), but_deleting.clone()], [but_deleting, everything]] {
            assert_eq!(says(&statements, "dynamodb:DeleteItem", NOTES), "forbidden");
            assert_eq!(says(&statements, "dynamodb:GetItem", NOTES), "allowed");
        }
    }

    #[test]
    fn a_condition_that_is_not_understood_grants_nothing_and_denies_always() {
        let unknown = json!({"Bool": {"aws:SecureTransport": "true"}});
        let one = statement(true, &["*"], &["*"], unknown.clone());
        assert_eq!(says(std::slice::from_ref(&one), "dynamodb:GetItem", NOTES), "denied");
        let everything = statement(true, &["*"], &["*"], Value::Null);
        let deny = statement(false, &["*"], &["*"], unknown);
        assert_eq!(says(&[everything, deny], "dynamodb:GetItem", NOTES), "forbidden");
    }

    #[test]
    fn a_condition_narrows_its_statement() {
        let of = |key: &str| json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [key]}});
        let own = statement(true, &["dynamodb:GetItem"], &[NOTES], of("a"));
        assert_eq!(says(std::slice::from_ref(&own), "dynamodb:GetItem", NOTES), "allowed");
        let others = statement(true, &["dynamodb:GetItem"], &[NOTES], of("b"));
        assert_eq!(says(std::slice::from_ref(&others), "dynamodb:GetItem", NOTES), "denied");
        let not_others = statement(false, &["*"], &["*"], of("b"));
        assert_eq!(says(&[own, not_others], "dynamodb:GetItem", NOTES), "allowed");
    }
}
