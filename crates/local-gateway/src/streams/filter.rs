//! `FilterCriteria`: event patterns over stream records, as EventBridge and Lambda read them.
//!
//! A mapping names fields, all of which must match; a list at the end holds what the field may be: a plain value, or
//! `prefix`, `suffix`, `equals-ignore-case`, `exists`, `anything-but`. `$or` holds alternatives. Lambda's `numeric` is
//! rejected: DynamoDB's numbers are texts in a stream record and would never match.

use serde_json::Value;

/// Matches what any of its patterns matches; without patterns, everything.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    All(Vec<(String, Pattern)>),
    Any(Vec<Pattern>),
    Value(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Equals(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    Exists(bool),
    AnythingBut(Vec<Test>),
}

impl Filter {
    /// The error names what Lambda would reject.
    pub(super) fn of(patterns: &[Value]) -> Result<Filter, String> {
        patterns.iter().map(pattern).collect::<Result<_, _>>().map(Filter)
    }

    pub(super) fn matches(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.matches(Some(record)))
    }
}

fn pattern(of: &Value) -> Result<Pattern, String> {
    match of {
        Value::Object(fields) if !fields.is_empty() => {
            let mut all = Vec::new();
            for (name, field) in fields {
                let inner = match field {
                    Value::Array(alternatives) if name == "$or" => {
                        Pattern::Any(alternatives.iter().map(pattern).collect::<Result<_, _>>()?)
                    }
                    _ => pattern(field).map_err(|problem| format!("{name}: {problem}"))?,
                };
                all.push((name.clone(), inner));
            }
            Ok(Pattern::All(all))
        }
        Value::Array(tests) if !tests.is_empty() => {
            tests.iter().map(test).collect::<Result<_, _>>().map(Pattern::Value)
        }
        other => Err(format!("expected a mapping of fields or a list of values, found `{other}`")),
    }
}

fn test(of: &Value) -> Result<Test, String> {
    let Value::Object(comparison) = of else {
        return if of.is_array() { Err("lists cannot be nested".into()) } else { Ok(Test::Equals(of.clone())) };
    };
    let (name, argument) = comparison.iter().next().ok_or("the comparison is empty")?;
    if comparison.len() > 1 {
        return Err("a comparison has exactly one operator".into());
    }
    let text = || argument.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` takes a text"));
    match name.as_str() {
        "prefix" => text().map(Test::Prefix),
        "suffix" => text().map(Test::Suffix),
        "equals-ignore-case" => text().map(|text| Test::EqualsIgnoreCase(text.to_lowercase())),
        "exists" => argument.as_bool().map(Test::Exists).ok_or_else(|| "`exists` takes true or false".into()),
        "anything-but" => match argument {
            Value::Array(items) => items.iter().map(test).collect::<Result<_, _>>().map(Test::AnythingBut),
            one => test(one).map(|test| Test::AnythingBut(vec![test])),
        },
        "numeric" => Err("`numeric` never matches: DynamoDB's numbers are texts in a stream record".into()),
        other => Err(format!("Lambda's event filters have no operator `{other}`")),
    }
}

impl Pattern {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Pattern::All(fields) => fields.iter().all(|(name, pattern)| match pattern {
                Pattern::Any(_) => pattern.matches(value),
                _ => pattern.matches(value.and_then(|value| value.get(name))),
            }),
            Pattern::Any(alternatives) => alternatives.iter().any(|pattern| pattern.matches(value)),
            Pattern::Value(tests) => tests.iter().any(|test| match value {
                Some(Value::Array(items)) => items.iter().any(|item| test.matches(Some(item))),
                value => test.matches(value),
            }),
        }
    }
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        if let Test::Exists(expected) = self {
            // Filters only see leaves: a mapping does not count as existing.
            return value.is_some_and(|value| !value.is_object()) == *expected;
        }
        let Some(value) = value else { return false };
        match (self, value.as_str()) {
            (Test::Equals(expected), _) => expected == value,
            (Test::AnythingBut(tests), _) => !value.is_object() && !tests.iter().any(|test| test.matches(Some(value))),
            (Test::Prefix(prefix), Some(text)) => text.starts_with(prefix),
            (Test::Suffix(suffix), Some(text)) => text.ends_with(suffix),
            (Test::EqualsIgnoreCase(expected), Some(text)) => text.to_lowercase() == *expected,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(kind: &str) -> Value {
        json!({
            "eventName": "INSERT",
            "dynamodb": {"NewImage": {
                "kind": {"S": kind}, "seq": {"N": "5"}, "tags": {"SS": ["a", "b"]}, "on": {"BOOL": true},
            }},
        })
    }

    #[test]
    fn patterns_match_as_on_lambda() {
        let image = |field: Value| json!({"dynamodb": {"NewImage": field}});
        for (pattern, expected) in [
            (json!({"eventName": ["INSERT"]}), true),
            (json!({"eventName": ["MODIFY", "REMOVE"]}), false),
            (json!({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["text"]}}}}), true),
            (json!({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"kind": {"S": ["text"]}}}}), false),
            (image(json!({"kind": {"S": ["system"]}})), false),
            (image(json!({"kind": {"S": [{"prefix": "te"}]}})), true),
            (image(json!({"kind": {"S": [{"suffix": "te"}]}})), false),
            (image(json!({"kind": {"S": [{"equals-ignore-case": "TEXT"}]}})), true),
            (image(json!({"kind": {"S": [{"anything-but": ["system"]}]}})), true),
            (image(json!({"kind": {"S": [{"anything-but": "text"}]}})), false),
            (image(json!({"kind": {"S": [{"anything-but": {"prefix": "te"}}]}})), false),
            (image(json!({"gone": {"S": [{"anything-but": "text"}]}})), false),
            (image(json!({"kind": {"S": [{"exists": true}]}})), true),
            (image(json!({"kind": {"S": [{"exists": false}]}})), false),
            (image(json!({"gone": {"S": [{"exists": false}]}})), true),
            (json!({"dynamodb": {"OldImage": {"kind": {"S": [{"exists": false}]}}}}), true),
            (image(json!({"kind": [{"exists": true}]})), false),
            (image(json!({"seq": {"N": ["5"]}})), true),
            (image(json!({"seq": {"N": [5]}})), false),
            (image(json!({"on": {"BOOL": [true]}})), true),
            (image(json!({"tags": {"SS": ["b"]}})), true),
            (json!({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"NewImage": {"seq": {"N": ["5"]}}}}]}), true),
            (json!({"$or": [{"eventName": ["REMOVE"]}, {"eventName": ["MODIFY"]}]}), false),
        ] {
            let filter = Filter::of(std::slice::from_ref(&pattern)).unwrap();
            assert_eq!(filter.matches(&record("text")), expected, "{pattern}");
        }
    }

    #[test]
    fn any_pattern_suffices() {
        let filter = Filter::of(&[json!({"eventName": ["REMOVE"]}), json!({"eventName": ["INSERT"]})]).unwrap();
        assert!(filter.matches(&record("text")));
        assert!(Filter::of(&[]).unwrap().matches(&json!({})));
    }

    #[test]
    fn invalid_patterns_are_rejected() {
        for (pattern, expected) in [
            (json!({"eventName": "INSERT"}), "eventName: expected a mapping of fields"),
            (json!({}), "expected a mapping of fields"),
            (json!({"a": {"b": []}}), "a: b: expected a mapping"),
            (json!({"a": [{"numeric": [">", 1]}]}), "`numeric` never matches"),
            (json!({"a": [{"like": "x"}]}), "have no operator `like`"),
            (json!({"a": [{"prefix": 1}]}), "`prefix` takes a text"),
            (json!({"a": [{"exists": "yes"}]}), "`exists` takes true or false"),
        ] {
            let error = Filter::of(std::slice::from_ref(&pattern)).unwrap_err();
            assert!(error.contains(expected), "{pattern} gave {error:?}");
        }
    }
}
