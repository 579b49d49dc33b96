//! The conditions of a statement. Of DynamoDB's own keys only `dynamodb:LeadingKeys` is understood, compared as a set
//! (`ForAllValues:`), as DynamoDB wants it: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use serde_json::Value;

use super::need::Need;
use super::pattern::fits;

/// What a statement asks of a call besides its action and resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Every partition key that the call names is one of these; true of a call that names none.
    LeadingKeys {
        /// What they may be.
        among: Vec<String>,
        /// `StringLike`: these hold wildcards.
        like: bool,
    },
    /// Something that this gateway does not understand: nobody knows whether it holds.
    Unknown(String),
}

impl Condition {
    /// The conditions of a statement, all of which have to hold.
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
        let like = match operator {
            "ForAllValues:StringEquals" => false,
            "ForAllValues:StringLike" => true,
            _ => return Condition::Unknown(format!("{operator} of {key}")),
        };
        let texts = match values {
            Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            value => value.as_str().map(|value| vec![value.to_owned()]),
        };
        match texts {
            Some(among) if key.eq_ignore_ascii_case("dynamodb:LeadingKeys") => Condition::LeadingKeys { among, like },
            _ => Condition::Unknown(format!("{operator} of {key}")),
        }
    }

    /// Whether it holds for a call; `None` where nobody can tell.
    pub(super) fn holds(&self, need: &Need) -> Option<bool> {
        let Condition::LeadingKeys { among, like } = self else { return None };
        let among = |key: &String| among.iter().any(|one| if *like { fits(one, key) } else { one == key });
        need.leading_keys.as_ref().map(|keys| keys.iter().all(among))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(written: Value, keys: Option<&[&str]>) -> Option<bool> {
        let leading_keys = keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
        let need = Need { action: String::new(), resource: String::new(), leading_keys };
        let conditions = Condition::of(&written);
        assert_eq!(conditions.len(), 1, "{written}");
        conditions[0].holds(&need)
    }

    #[test]
    fn every_partition_key_has_to_be_among_those_named() {
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
    fn of_what_is_not_understood_nobody_can_tell_whether_it_holds() {
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
