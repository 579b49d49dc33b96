//! The conditions of a statement. Of DynamoDB's own keys only `dynamodb:LeadingKeys` is supported, compared as a set
//! (`ForAllValues:`), as DynamoDB requires:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use serde_json::Value;

use super::pattern::matches;
use super::permission::Permission;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Every partition key of the call is allowed; true of a call without any.
    LeadingKeys {
        allowed: Vec<String>,
        /// Whether they contain wildcards (`StringLike`).
        wildcards: bool,
    },
    /// A condition that the gateway does not support.
    Unknown(String),
}

impl Condition {
    /// The conditions of a statement, all of which must hold.
    pub(super) fn of(written: &Value) -> Vec<Condition> {
        let Some(operators) = written.as_object() else {
            return if written.is_null() { Vec::new() } else { vec![Condition::Unknown(written.to_string())] };
        };
        let keys = operators.iter().flat_map(|(operator, keys)| match keys.as_object() {
            Some(keys) => keys.iter().map(|(key, values)| Condition::one(operator, key, values)).collect(),
            None => vec![Condition::Unknown(operator.clone())],
        });
        keys.collect()
    }

    fn one(operator: &str, key: &str, values: &Value) -> Condition {
        let wildcards = match operator {
            "ForAllValues:StringEquals" => false,
            "ForAllValues:StringLike" => true,
            _ => return Condition::Unknown(format!("{operator} of {key}")),
        };
        let texts = match values {
            Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            value => value.as_str().map(|value| vec![value.to_owned()]),
        };
        match texts {
            Some(allowed) if key.eq_ignore_ascii_case("dynamodb:LeadingKeys") => {
                Condition::LeadingKeys { allowed, wildcards }
            }
            _ => Condition::Unknown(format!("{operator} of {key}")),
        }
    }

    /// Whether the condition holds; `None` if it cannot be evaluated.
    pub(super) fn holds(&self, permission: &Permission) -> Option<bool> {
        let Condition::LeadingKeys { allowed, wildcards } = self else { return None };
        let is_allowed =
            |key: &String| allowed.iter().any(|one| if *wildcards { matches(one, key) } else { one == key });
        permission.leading_keys.as_ref().map(|keys| keys.iter().all(is_allowed))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(written: Value, keys: Option<&[&str]>) -> Option<bool> {
        let leading_keys = keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
        let permission = Permission { action: String::new(), resource: String::new(), leading_keys };
        let conditions = Condition::of(&written);
        assert_eq!(conditions.len(), 1, "{written}");
        conditions[0].holds(&permission)
    }

    #[test]
    fn all_partition_keys_must_be_allowed() {
        let equals = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a", "b"]}});
        assert_eq!(holds(equals.clone(), Some(&["a"])), Some(true));
        assert_eq!(holds(equals.clone(), Some(&["a", "b"])), Some(true));
        assert_eq!(holds(equals.clone(), Some(&["a", "c"])), Some(false));
        assert_eq!(holds(equals.clone(), Some(&[])), Some(true), "a scan names none");
        assert_eq!(holds(equals, None), None);
        let like = json!({"ForAllValues:StringLike": {"DynamoDB:leadingKeys": "hospital:*"}});
        assert_eq!(holds(like.clone(), Some(&["hospital:h9"])), Some(true));
        assert_eq!(holds(like, Some(&["user:u1"])), Some(false));
    }

    #[test]
    fn unsupported_conditions_are_unknown() {
        for written in [
            json!({"StringEquals": {"dynamodb:LeadingKeys": "a"}}),
            json!({"ForAllValues:StringEquals": {"dynamodb:Attributes": ["a"]}}),
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!("always"),
        ] {
            assert_eq!(holds(written.clone(), Some(&["a"])), None, "{written}");
        }
        assert_eq!(Condition::of(&Value::Null), []);
    }
}
