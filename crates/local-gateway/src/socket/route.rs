//! Route selection: which route key a message names.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// A `RouteSelectionExpression` such as `$request.body.action`, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSelection {
    /// The names that lead to the value in the message, for example `["action"]`.
    path: Vec<String>,
}

/// An expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the RouteSelectionExpression `{0}` is not of the form `$request.body.action`")]
pub struct NoSelection(String);

impl RouteSelection {
    /// Reads `$request.body.<name>[.<name>…]`, or the same in braces: `${request.body.<name>}`.
    ///
    /// # Errors
    ///
    /// Where it is of another form.
    pub fn parse(expression: &str) -> Result<RouteSelection, NoSelection> {
        let unusable = || NoSelection(expression.to_owned());
        let inner = expression.strip_prefix('$').ok_or_else(unusable)?;
        let inner = match inner.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(unusable)?,
            None => inner,
        };
        let path: Vec<String> =
            inner.strip_prefix("request.body.").ok_or_else(unusable)?.split('.').map(str::to_owned).collect();
        let is_name = |name: &String| !name.is_empty() && !name.contains(['$', '{', '}']);
        if path.iter().all(is_name) { Ok(RouteSelection { path }) } else { Err(unusable()) }
    }

    /// The route key that the message names: nothing where it is no JSON, or has no text, number or boolean there.
    ///
    /// The rest of the message is looked at no closer than needed: an escape that stands for no character (half of a
    /// surrogate pair) elsewhere in it does not keep it from its route.
    pub fn key(&self, message: &str) -> Option<String> {
        let mut deserializer = serde_json::Deserializer::from_str(message);
        let value = At(&self.path).deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        match value? {
            Value::String(key) => Some(key),
            Value::Number(key) => Some(key.to_string()),
            Value::Bool(key) => Some(key.to_string()),
            _ => None,
        }
    }
}

/// Reads the value at the end of a path and skips everything else.
struct At<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            serde::Deserialize::deserialize(deserializer).map(Some)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == self.0[0] {
                found = map.next_value_seed(At(&self.0[1..]))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(message: &str) -> Option<String> {
        RouteSelection::parse("$request.body.action").unwrap().key(message)
    }

    #[test]
    fn a_message_names_its_route() {
        assert_eq!(key(r#"{"message":"hi","action":"sendMessage"}"#).as_deref(), Some("sendMessage"));
        assert_eq!(key(r#"{"action":7}"#).as_deref(), Some("7"));
    }

    #[test]
    fn what_is_no_json_or_names_nothing_has_no_key() {
        for message in [
            "",
            "hello",
            "[]",
            "{}",
            "\"action\"",
            "{\"action\":null}",
            "{\"action\":{}}",
            "{\"action\":\"a\"} x",
            "{\"action\":\"a\"",
        ] {
            assert_eq!(key(message), None, "{message}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_in_another_field_does_not_hide_the_route() {
        assert_eq!(key(r#"{"action":"sendMessage","message":"\ud83d"}"#).as_deref(), Some("sendMessage"));
    }

    #[test]
    fn braces_and_longer_paths_are_understood_and_other_expressions_refused() {
        let nested = RouteSelection::parse("${request.body.meta.kind}").unwrap();
        assert_eq!(nested.key(r#"{"meta":{"x":[1],"kind":"a"},"kind":"b"}"#).as_deref(), Some("a"));
        assert_eq!(nested.key(r#"{"meta":"text"}"#), None);
        for expression in [
            "action",
            "$request.header.action",
            "$request.body.",
            "$request.body.a/$request.body.b",
            "${request.body.a",
        ] {
            assert!(RouteSelection::parse(expression).is_err(), "{expression}");
        }
    }
}
