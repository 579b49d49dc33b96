//! Evaluates intrinsic functions: `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::Join`, `Fn::If` and the other conditions,
//! `Fn::Select`, `Fn::Split`, `Fn::FindInMap`, `Fn::Base64`, `Fn::GetAZs`, and the pseudo parameters.

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::TemplateError;
use crate::error::invalid;
use crate::identifiers::hex_id;
use crate::scope::Scope;
use crate::substitution::{self, Part};
use crate::value::{kind, text_of};

#[cfg(test)]
mod tests;

/// How deep functions may nest or refer to each other: deeper than any real template, so that a cycle is found.
const MAX_DEPTH: usize = 64;

const CONDITION_FUNCTIONS: &str = "a condition must use Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition";
const FIND_IN_MAP_ARGUMENTS: &str = "Fn::FindInMap takes the name of a mapping and two keys";
const SUB_ARGUMENTS: &str = "Fn::Sub takes text, or text and a mapping of variables";

/// The values of `Ref` and `Fn::GetAtt` for resources. A trait, because names may be made of functions themselves
/// (`TableName: !Sub …`).
pub(crate) trait ResourceNames {
    /// The value of `Ref`.
    fn reference(&self, id: &str, at: &str, depth: usize) -> Result<String, TemplateError>;

    /// The value of `Fn::GetAtt`.
    fn attribute(&self, id: &str, attribute: &str, at: &str, depth: usize) -> Result<String, TemplateError>;
}

/// In every method, `at` is the path of the value in the template, for error messages.
pub(crate) struct Evaluator<'a> {
    scope: &'a Scope,
    names: &'a dyn ResourceNames,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(scope: &'a Scope, names: &'a dyn ResourceNames) -> Self {
        Self { scope, names }
    }

    /// Evaluates a value that must be text; numbers and booleans are converted.
    pub(crate) fn text(&self, value: &Value, at: &str, depth: usize) -> Result<String, TemplateError> {
        let resolved = self.value(value, at, depth)?;
        resolved
            .as_ref()
            .and_then(text_of)
            .ok_or_else(|| invalid(at, format!("expected text, found {}", kind(resolved.as_ref()))))
    }

    /// Evaluates a value; `None` for `AWS::NoValue`.
    pub(crate) fn value(&self, value: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(invalid(at, "this value refers to itself"));
        }
        match value {
            Value::Object(map) => {
                if let Some((function, argument)) = function_call(map) {
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
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// Whether a named condition holds.
    pub(crate) fn named_condition(&self, name: &str, at: &str, depth: usize) -> Result<bool, TemplateError> {
        let Some(condition) = self.scope.conditions.get(name) else {
            return Err(invalid(at, format!("the template has no condition `{name}`")));
        };
        self.condition(condition, &format!("Conditions.{name}"), depth + 1)
    }

    fn call(&self, function: &str, argument: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let text = match function {
            "Ref" => return self.reference(name_argument(argument, at, "Ref")?, at, depth),
            "Fn::If" => {
                let [condition, yes, no] = arguments(argument, at, "Fn::If")?;
                let holds = self.named_condition(name_argument(condition, at, "Fn::If")?, at, depth)?;
                return self.value(if holds { yes } else { no }, at, depth);
            }
            "Fn::GetAtt" => self.get_att(argument, at, depth)?,
            "Fn::Sub" => self.substitute(argument, at, depth)?,
            "Fn::Join" => {
                let [delimiter, list] = arguments(argument, at, "Fn::Join")?;
                self.texts(list, at, depth)?.join(&self.text(delimiter, at, depth)?)
            }
            "Fn::Select" => return self.select(argument, at, depth),
            "Fn::Split" => {
                let [delimiter, text] = arguments(argument, at, "Fn::Split")?;
                let delimiter = self.text(delimiter, at, depth)?;
                let text = self.text(text, at, depth)?;
                return Ok(Some(text.split(&delimiter).map(Value::from).collect()));
            }
            "Fn::FindInMap" => return self.find_in_map(argument, at, depth),
            "Fn::Base64" => base64::engine::general_purpose::STANDARD.encode(self.text(argument, at, depth)?),
            "Fn::GetAZs" => {
                let zones = ["a", "b", "c"].map(|zone| Value::from(format!("{}{zone}", self.scope.stack.region)));
                return Ok(Some(zones.into()));
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => {
                return Ok(Some(Value::Bool(self.condition_function(function, argument, at, depth)?)));
            }
            _ => return Err(invalid(at, format!("`{function}` is not supported"))),
        };
        Ok(Some(Value::String(text)))
    }

    /// `Ref` of a parameter, a pseudo parameter or a resource.
    fn reference(&self, name: &str, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let stack = &self.scope.stack;
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => stack.stack_name.clone(),
            "AWS::Region" => stack.region.clone(),
            "AWS::AccountId" => stack.account.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackId" => {
                let stack_id = hex_id(&stack.stack_name, 12);
                self.scope.arn("cloudformation", &format!("stack/{}/{stack_id}", stack.stack_name))
            }
            "AWS::NotificationARNs" => return Ok(Some(Value::Array(Vec::new()))),
            _ => match self.scope.parameters.get(name) {
                Some(value) => return Ok(Some(value.clone())),
                None => self.names.reference(name, at, depth)?,
            },
        };
        Ok(Some(Value::String(text)))
    }

    fn get_att(&self, argument: &Value, at: &str, depth: usize) -> Result<String, TemplateError> {
        if let Value::String(text) = argument {
            let Some((resource, attribute)) = text.split_once('.') else {
                return Err(invalid(at, format!("Fn::GetAtt `{text}` names no attribute")));
            };
            return self.names.attribute(resource, attribute, at, depth);
        }
        let [resource, attribute] = arguments(argument, at, "Fn::GetAtt")?;
        let resource = name_argument(resource, at, "Fn::GetAtt")?;
        self.names.attribute(resource, &self.text(attribute, at, depth)?, at, depth)
    }

    fn substitute(&self, argument: &Value, at: &str, depth: usize) -> Result<String, TemplateError> {
        let no_variables = Map::new();
        let (text, variables) = match argument {
            Value::String(text) => (text, &no_variables),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text)] => (text, &no_variables),
                [Value::String(text), Value::Object(variables)] => (text, variables),
                _ => return Err(invalid(at, SUB_ARGUMENTS)),
            },
            _ => return Err(invalid(at, SUB_ARGUMENTS)),
        };
        let parts = substitution::parts(text)
            .ok_or_else(|| invalid(at, format!("Fn::Sub `{text}` opens `${{` and never closes it")))?;
        let mut result = String::with_capacity(text.len());
        for part in parts {
            match part {
                Part::Literal(literal) => result.push_str(literal),
                Part::Escaped(name) => result.push_str(&format!("${{{name}}}")),
                Part::Variable(name) => {
                    if let Some(value) = variables.get(name) {
                        result.push_str(&self.text(value, at, depth)?);
                    } else if let Some((resource, attribute)) = name.split_once('.') {
                        result.push_str(&self.names.attribute(resource, attribute, at, depth)?);
                    } else {
                        let value = self.reference(name.trim(), at, depth)?;
                        let value = value.as_ref().and_then(text_of);
                        result.push_str(&value.ok_or_else(|| invalid(at, format!("`${{{name}}}` is not text")))?);
                    }
                }
            }
        }
        Ok(result)
    }

    fn select(&self, argument: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let [index, list] = arguments(argument, at, "Fn::Select")?;
        let index = self.text(index, at, depth)?;
        let list = self.list(list, at, depth)?;
        match index.parse::<usize>().ok().and_then(|index| list.get(index).cloned()) {
            Some(item) => Ok(Some(item)),
            None => Err(invalid(at, format!("Fn::Select has no item {index} in a list of {}", list.len()))),
        }
    }

    fn find_in_map(&self, argument: &Value, at: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let Value::Array(parts) = argument else {
            return Err(invalid(at, FIND_IN_MAP_ARGUMENTS));
        };
        let [name, first, second, options @ ..] = parts.as_slice() else {
            return Err(invalid(at, FIND_IN_MAP_ARGUMENTS));
        };
        let name = self.text(name, at, depth)?;
        let first = self.text(first, at, depth)?;
        let second = self.text(second, at, depth)?;
        let mapping = self.scope.mappings.get(&name);
        if let Some(found) = mapping.and_then(|map| map.get(&first)).and_then(|map| map.get(&second)) {
            return Ok(Some(found.clone()));
        }
        match options.first().and_then(|options| options.get("DefaultValue")) {
            Some(default) => self.value(default, at, depth),
            None => Err(invalid(at, format!("the mapping `{name}` has no entry `{first}`, `{second}`"))),
        }
    }

    fn condition(&self, value: &Value, at: &str, depth: usize) -> Result<bool, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(invalid(at, "this condition refers to itself"));
        }
        if let Value::Bool(holds) = value {
            return Ok(*holds);
        }
        match value.as_object().and_then(function_call) {
            Some((function, argument)) => self.condition_function(function, argument, at, depth + 1),
            None => Err(invalid(at, CONDITION_FUNCTIONS)),
        }
    }

    fn condition_function(
        &self,
        function: &str,
        argument: &Value,
        at: &str,
        depth: usize,
    ) -> Result<bool, TemplateError> {
        match function {
            "Condition" => self.named_condition(name_argument(argument, at, "Condition")?, at, depth),
            "Fn::Equals" => {
                let [left, right] = arguments(argument, at, "Fn::Equals")?;
                let left = self.value(left, at, depth)?;
                let right = self.value(right, at, depth)?;
                // CloudFormation compares texts: a parameter's "1" equals a literal 1.
                Ok(match (left.as_ref().and_then(text_of), right.as_ref().and_then(text_of)) {
                    (Some(left), Some(right)) => left == right,
                    _ => left == right,
                })
            }
            "Fn::Not" => {
                let [condition] = arguments(argument, at, "Fn::Not")?;
                Ok(!self.condition(condition, at, depth)?)
            }
            "Fn::And" => Ok(self.conditions(function, argument, at, depth)?.iter().all(|holds| *holds)),
            "Fn::Or" => Ok(self.conditions(function, argument, at, depth)?.iter().any(|holds| *holds)),
            _ => Err(invalid(at, format!("`{function}` cannot be used in a condition"))),
        }
    }

    fn conditions(&self, function: &str, argument: &Value, at: &str, depth: usize) -> Result<Vec<bool>, TemplateError> {
        let Value::Array(parts) = argument else {
            return Err(invalid(at, format!("{function} takes a list of conditions")));
        };
        parts.iter().map(|part| self.condition(part, at, depth)).collect()
    }

    fn list(&self, value: &Value, at: &str, depth: usize) -> Result<Vec<Value>, TemplateError> {
        match self.value(value, at, depth)? {
            Some(Value::Array(items)) => Ok(items),
            other => Err(invalid(at, format!("expected a list, found {}", kind(other.as_ref())))),
        }
    }

    fn texts(&self, value: &Value, at: &str, depth: usize) -> Result<Vec<String>, TemplateError> {
        let items = self.list(value, at, depth)?;
        items.iter().map(|item| text_of(item).ok_or_else(|| invalid(at, "Fn::Join takes a list of texts"))).collect()
    }
}

/// The function call that a mapping stands for, if any.
fn function_call(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next()?;
    let is_call =
        map.len() == 1 && (name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string()));
    is_call.then_some((name.as_str(), argument))
}

fn name_argument<'v>(value: &'v Value, at: &str, function: &str) -> Result<&'v str, TemplateError> {
    value.as_str().ok_or_else(|| invalid(at, format!("{function} takes a name, not {}", kind(Some(value)))))
}

fn arguments<'v, const N: usize>(value: &'v Value, at: &str, function: &str) -> Result<&'v [Value; N], TemplateError> {
    value
        .as_array()
        .and_then(|items| items.as_slice().try_into().ok())
        .ok_or_else(|| invalid(at, format!("{function} takes a list of {N}")))
}
