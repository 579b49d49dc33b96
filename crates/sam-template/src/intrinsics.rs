//! Resolves intrinsic functions: `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::Join`, `Fn::If` and the other conditions,
//! `Fn::Select`, `Fn::Split`, `Fn::FindInMap`, `Fn::Base64`, `Fn::GetAZs`, and the pseudo parameters.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::properties::text_of;
use crate::{StackContext, TemplateError, names};

/// How deep functions may be nested or refer to each other: deeper than any template, so that a circle is found.
const DEPTH: usize = 64;

/// Everything that a function can refer to.
pub(crate) struct Scope {
    pub(crate) stack: StackContext,
    /// Parameter → value; a list parameter is an array.
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) mappings: Map<String, Value>,
    pub(crate) conditions: Map<String, Value>,
    /// Logical id → resource as written, those only whose condition holds.
    pub(crate) resources: BTreeMap<String, Value>,
    /// Logical ids that SAM generates → what `Ref` says of them.
    pub(crate) generated: BTreeMap<String, String>,
}

impl Scope {
    /// Resolves a value; `None` where it is `AWS::NoValue`. `at` is its place in the template, for errors.
    pub(crate) fn resolve(&self, value: &Value, at: &str) -> Result<Option<Value>, TemplateError> {
        self.value(value, at, 0)
    }

    /// Resolves a value that has to be text (a number or a truth value counts as its text).
    pub(crate) fn text(&self, value: &Value, at: &str) -> Result<String, TemplateError> {
        self.text_at(value, at, 0)
    }

    /// Whether a named condition holds.
    pub(crate) fn condition(&self, name: &str, at: &str) -> Result<bool, TemplateError> {
        self.named_condition(name, at, 0)
    }

    pub(crate) fn text_at(&self, value: &Value, at: &str, depth: usize) -> Result<String, TemplateError> {
        let resolved = self.value(value, at, depth)?;
        resolved
            .as_ref()
            .and_then(text_of)
            .ok_or_else(|| invalid(at, format!("this has to be text, not {}", kind(resolved.as_ref()))))
    }

    pub(crate) fn value(&self, value: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        if depth > DEPTH {
            return Err(invalid(at, "this refers to itself"));
        }
        match value {
            Value::Object(map) => {
                if let Some((function, argument)) = function(map) {
                    return self.call(function, argument, at, depth + 1);
                }
                let mut resolved = Map::new();
                for (key, entry) in map {
                    if let Some(entry) = self.value(entry, &format!("{at}.{key}"), depth + 1)? {
                        resolved.insert(key.clone(), entry);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.value(item, &format!("{at}[{index}]"), depth + 1)?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    fn call(&self, function: &str, argument: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let text = match function {
            "Ref" => return self.reference(self.word(argument, at, "Ref")?, at, depth),
            "Fn::If" => {
                let [condition, yes, no] = self.arguments(argument, at, "Fn::If")?;
                let chosen =
                    if self.named_condition(self.word(condition, at, "Fn::If")?, at, depth)? { yes } else { no };
                return self.value(chosen, at, depth);
            }
            "Fn::GetAtt" => {
                let (resource, attribute) = match argument {
                    Value::String(text) => match text.split_once('.') {
                        Some((resource, attribute)) => (resource.to_owned(), attribute.to_owned()),
                        None => return Err(invalid(at, format!("Fn::GetAtt `{text}` names no attribute"))),
                    },
                    _ => {
                        let [resource, attribute] = self.arguments(argument, at, "Fn::GetAtt")?;
                        (self.word(resource, at, "Fn::GetAtt")?.to_owned(), self.text_at(attribute, at, depth)?)
                    }
                };
                names::attribute(self, &resource, &attribute, at, depth)?
            }
            "Fn::Sub" => self.substitute(argument, at, depth)?,
            "Fn::Join" => {
                let [delimiter, list] = self.arguments(argument, at, "Fn::Join")?;
                self.texts(list, at, depth)?.join(&self.text_at(delimiter, at, depth)?)
            }
            "Fn::Select" => {
                let [index, list] = self.arguments(argument, at, "Fn::Select")?;
                let index_text = self.text_at(index, at, depth)?;
                let list = self.list(list, at, depth)?;
                return match index_text.parse::<usize>().ok().and_then(|index| list.get(index).cloned()) {
                    Some(item) => Ok(Some(item)),
                    None => {
                        Err(invalid(at, format!("Fn::Select has no item {index_text} in a list of {}", list.len())))
                    }
                };
            }
            "Fn::Split" => {
                let [delimiter, text] = self.arguments(argument, at, "Fn::Split")?;
                let (delimiter, text) = (self.text_at(delimiter, at, depth)?, self.text_at(text, at, depth)?);
                return Ok(Some(text.split(&delimiter).map(Value::from).collect()));
            }
            "Fn::FindInMap" => return self.find_in_map(argument, at, depth),
            "Fn::Base64" => base64::engine::general_purpose::STANDARD.encode(self.text_at(argument, at, depth)?),
            "Fn::GetAZs" => {
                return Ok(Some(
                    ["a", "b", "c"].map(|zone| Value::from(format!("{}{zone}", self.stack.region))).into(),
                ));
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => {
                return Ok(Some(Value::Bool(self.holds(function, argument, at, depth)?)));
            }
            _ => return Err(invalid(at, format!("`{function}` is not supported here"))),
        };
        Ok(Some(Value::String(text)))
    }

    /// What `Ref` says of a parameter, a pseudo parameter or a resource.
    pub(crate) fn reference(&self, name: &str, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let stack = &self.stack;
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => stack.stack_name.clone(),
            "AWS::Region" => stack.region.clone(),
            "AWS::AccountId" => stack.account.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackId" => format!(
                "arn:aws:cloudformation:{}:{}:stack/{}/{}",
                stack.region,
                stack.account,
                stack.stack_name,
                names::digits(&stack.stack_name, 12)
            ),
            "AWS::NotificationARNs" => return Ok(Some(Value::Array(Vec::new()))),
            _ => match self.parameters.get(name) {
                Some(value) => return Ok(Some(value.clone())),
                None => names::reference(self, name, at, depth)?,
            },
        };
        Ok(Some(Value::String(text)))
    }

    fn substitute(&self, argument: &Value, at: &str, depth: usize) -> Result<String, TemplateError> {
        let empty = Map::new();
        let (text, variables) = match argument {
            Value::String(text) => (text.as_str(), &empty),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text)] => (text.as_str(), &empty),
                [Value::String(text), Value::Object(variables)] => (text.as_str(), variables),
                _ => return Err(invalid(at, "Fn::Sub takes a text, or a text and a mapping of variables")),
            },
            _ => return Err(invalid(at, "Fn::Sub takes a text, or a text and a mapping of variables")),
        };
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            result.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else {
                return Err(invalid(at, format!("Fn::Sub `{text}` opens `${{` and never closes it")));
            };
            let name = &rest[start + 2..start + length];
            rest = &rest[start + length + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = variables.get(name) {
                result.push_str(&self.text_at(value, at, depth)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                result.push_str(&names::attribute(self, resource, attribute, at, depth)?);
            } else {
                let value = self.reference(name.trim(), at, depth)?;
                let value = value.as_ref().and_then(text_of);
                result.push_str(&value.ok_or_else(|| invalid(at, format!("`${{{name}}}` is not text")))?);
            }
        }
        Ok(result + rest)
    }

    fn find_in_map(&self, argument: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let Value::Array(parts) = argument else {
            return Err(invalid(at, "Fn::FindInMap takes a mapping's name and two keys"));
        };
        let [name, first, second, options @ ..] = parts.as_slice() else {
            return Err(invalid(at, "Fn::FindInMap takes a mapping's name and two keys"));
        };
        let name = self.text_at(name, at, depth)?;
        let (first, second) = (self.text_at(first, at, depth)?, self.text_at(second, at, depth)?);
        let found = self.mappings.get(&name).and_then(|map| map.get(&first)).and_then(|map| map.get(&second));
        match (found, options.first().and_then(|options| options.get("DefaultValue"))) {
            (Some(value), _) => Ok(Some(value.clone())),
            (None, Some(default)) => self.value(default, at, depth),
            (None, None) => Err(invalid(at, format!("the mapping `{name}` has no entry `{first}`, `{second}`"))),
        }
    }

    fn named_condition(&self, name: &str, at: &str, depth: usize) -> Result<bool, TemplateError> {
        let Some(condition) = self.conditions.get(name) else {
            return Err(invalid(at, format!("the template has no condition `{name}`")));
        };
        self.truth(condition, &format!("Conditions.{name}"), depth + 1)
    }

    fn truth(&self, value: &Value, at: &str, depth: usize) -> Result<bool, TemplateError> {
        if depth > DEPTH {
            return Err(invalid(at, "this condition refers to itself"));
        }
        match value {
            Value::Bool(truth) => Ok(*truth),
            Value::Object(map) => match function(map) {
                Some((function, argument)) => self.holds(function, argument, at, depth + 1),
                None => Err(invalid(at, "a condition is made of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")),
            },
            _ => Err(invalid(at, "a condition is made of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")),
        }
    }

    fn holds(&self, function: &str, argument: &Value, at: &str, depth: usize) -> Result<bool, TemplateError> {
        match function {
            "Condition" => self.named_condition(self.word(argument, at, "Condition")?, at, depth),
            "Fn::Equals" => {
                let [left, right] = self.arguments(argument, at, "Fn::Equals")?;
                let (left, right) = (self.value(left, at, depth)?, self.value(right, at, depth)?);
                // CloudFormation compares texts: a parameter's "1" equals a literal 1.
                Ok(match (left.as_ref().and_then(text_of), right.as_ref().and_then(text_of)) {
                    (Some(left), Some(right)) => left == right,
                    _ => left == right,
                })
            }
            "Fn::Not" => {
                let [condition] = self.arguments(argument, at, "Fn::Not")?;
                Ok(!self.truth(condition, at, depth)?)
            }
            "Fn::And" | "Fn::Or" => {
                let Value::Array(parts) = argument else {
                    return Err(invalid(at, format!("{function} takes a list of conditions")));
                };
                let mut truths = Vec::with_capacity(parts.len());
                for part in parts {
                    truths.push(self.truth(part, at, depth)?);
                }
                Ok(if function == "Fn::And" { truths.iter().all(|t| *t) } else { truths.iter().any(|t| *t) })
            }
            _ => Err(invalid(at, format!("`{function}` cannot be used in a condition"))),
        }
    }

    fn list(&self, value: &Value, at: &str, depth: usize) -> Result<Vec<Value>, TemplateError> {
        match self.value(value, at, depth)? {
            Some(Value::Array(items)) => Ok(items),
            other => Err(invalid(at, format!("this has to be a list, not {}", kind(other.as_ref())))),
        }
    }

    fn texts(&self, value: &Value, at: &str, depth: usize) -> Result<Vec<String>, TemplateError> {
        let items = self.list(value, at, depth)?;
        items.iter().map(|item| text_of(item).ok_or_else(|| invalid(at, "Fn::Join takes a list of texts"))).collect()
    }

    fn word<'v>(&self, value: &'v Value, at: &str, function: &str) -> Result<&'v str, TemplateError> {
        value.as_str().ok_or_else(|| invalid(at, format!("{function} takes a name, not {}", kind(Some(value)))))
    }

    fn arguments<'v, const N: usize>(
        &self,
        value: &'v Value,
        at: &str,
        function: &str,
    ) -> Result<&'v [Value; N], TemplateError> {
        value
            .as_array()
            .and_then(|items| items.as_slice().try_into().ok())
            .ok_or_else(|| invalid(at, format!("{function} takes a list of {N}")))
    }
}

/// The function call that a mapping is, if it is one.
fn function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next()?;
    let call =
        map.len() == 1 && (name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string()));
    call.then_some((name.as_str(), argument))
}

/// What a value is, in words.
pub(crate) fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::Null) => "nothing",
        Some(Value::Bool(_)) => "a truth value",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "a mapping",
    }
}

/// An error about one place of the template.
pub(crate) fn invalid(at: &str, problem: impl Into<String>) -> TemplateError {
    TemplateError::Invalid { path: at.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let object = |value: Value| value.as_object().unwrap().clone();
        Scope {
            stack: StackContext::local("demo"),
            parameters: [
                ("Stage".to_owned(), json!("dev")),
                ("Limit".to_owned(), json!("10")),
                ("Zones".to_owned(), json!(["a", "b"])),
            ]
            .into(),
            mappings: object(json!({"Sizes": {"dev": {"memory": 256}}})),
            conditions: object(json!({
                "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
                "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
                "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
                "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
                "Ten": {"Fn::Equals": [{"Ref": "Limit"}, 10]},
                "Circle": {"Condition": "Circle"},
            })),
            resources: [
                (
                    "Things".to_owned(),
                    json!({"Type": "AWS::DynamoDB::Table", "Properties": {"StreamSpecification": {}}}),
                ),
                ("Queue".to_owned(), json!({"Type": "AWS::SQS::Queue"})),
            ]
            .into(),
            generated: BTreeMap::new(),
        }
    }

    fn resolve(value: Value) -> Result<Option<Value>, String> {
        scope().resolve(&value, "Here").map_err(|error| error.to_string())
    }

    #[test]
    fn every_function_gives_what_cloudformation_gives() {
        for (given, expected) in [
            (json!({"Ref": "Stage"}), json!("dev")),
            (json!({"Ref": "Zones"}), json!(["a", "b"])),
            (json!({"Ref": "AWS::StackName"}), json!("demo")),
            (json!({"Ref": "AWS::Partition"}), json!("aws")),
            (json!({"Ref": "Things"}), json!("demo-Things")),
            (
                json!({"Fn::GetAtt": ["Things", "Arn"]}),
                json!("arn:aws:dynamodb:us-east-1:123456789012:table/demo-Things"),
            ),
            (json!({"Fn::GetAtt": "Queue.Arn"}), json!("arn:aws:sqs:us-east-1:123456789012:demo-Queue")),
            (
                json!({"Fn::Sub": "${AWS::Region}/${Stage}/${Things.Arn}/${!Kept}"}),
                json!("us-east-1/dev/arn:aws:dynamodb:us-east-1:123456789012:table/demo-Things/${Kept}"),
            ),
            (json!({"Fn::Sub": ["${Own}-${Stage}", {"Own": {"Ref": "Limit"}}]}), json!("10-dev")),
            (json!({"Fn::Join": [",", ["x", {"Ref": "Stage"}, 3]]}), json!("x,dev,3")),
            (json!({"Fn::Join": ["+", {"Ref": "Zones"}]}), json!("a+b")),
            (json!({"Fn::Select": ["1", {"Fn::Split": ["-", "a-b-c"]}]}), json!("b")),
            (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}), json!(256)),
            (json!({"Fn::FindInMap": ["Sizes", "prod", "memory", {"DefaultValue": 512}]}), json!(512)),
            (json!({"Fn::Base64": "hi"}), json!("aGk=")),
            (json!({"Fn::If": ["IsProd", 1, 2]}), json!(2)),
            (json!({"Fn::If": ["Either", {"Fn::If": ["Both", 1, 3]}, 2]}), json!(3)),
            (json!({"Fn::If": ["Ten", "ten", "other"]}), json!("ten")),
            (json!({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}), json!({"b": [1]})),
            (
                json!({"Effect": "Allow", "Condition": {"StringEquals": {"a": {"Ref": "Stage"}}}}),
                json!({"Effect": "Allow", "Condition": {"StringEquals": {"a": "dev"}}}),
            ),
        ] {
            assert_eq!(resolve(given.clone()), Ok(Some(expected)), "{given}");
        }
        assert_eq!(resolve(json!({"Ref": "AWS::NoValue"})), Ok(None));
    }

    #[test]
    fn what_cannot_be_resolved_is_said_with_its_place() {
        for (given, says) in [
            (json!({"a": {"Ref": "Nothing"}}), "Here.a: the template has no parameter or resource `Nothing`"),
            (json!({"Fn::Sub": "${Nothing.Arn}"}), "Here: the template has no resource `Nothing`"),
            (json!({"Fn::Sub": "${Open"}), "never closes it"),
            (json!({"Fn::If": ["Nothing", 1, 2]}), "the template has no condition `Nothing`"),
            (json!({"Fn::If": ["Circle", 1, 2]}), "refers to itself"),
            (json!({"Fn::If": [1]}), "Fn::If takes a list of 3"),
            (json!({"Fn::Select": [5, ["a"]]}), "has no item 5 in a list of 1"),
            (
                json!({"Fn::FindInMap": ["Sizes", "prod", "memory"]}),
                "the mapping `Sizes` has no entry `prod`, `memory`",
            ),
            (json!({"Fn::GetAtt": ["Things", "Colour"]}), "`Things` (AWS::DynamoDB::Table) has no attribute `Colour`"),
            (json!({"Fn::ImportValue": "x"}), "`Fn::ImportValue` is not supported here"),
            (json!({"Fn::Join": ["", "text"]}), "this has to be a list, not a text"),
        ] {
            let error = resolve(given.clone()).unwrap_err();
            assert!(error.contains(says), "{given} gave {error:?}");
        }
    }
}
