//! Which route a message selects.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// A `RouteSelectionExpression` such as `$request.body.action`, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSelection {
    /// The path to the value in the message, for example `["action"]`.
    path: Vec<String>,
}

/// An expression that is not supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsupported RouteSelectionExpression `{0}`; use the form `$request.body.action`")]
pub struct InvalidExpression(String);

impl RouteSelection {
    /// Reads `$request.body.<name>[.<name>…]`, or the same in braces: `${request.body.<name>}`.
    ///
    /// # Errors
    ///
    /// If it has another form.
    pub fn parse(expression: &str) -> Result<RouteSelection, InvalidExpression> {
        let invalid = || InvalidExpression(expression.to_owned());
        let inner = expression.strip_prefix('$').ok_or_else(invalid)?;
        let inner = match inner.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(invalid)?,
            None => inner,
        };
        let path: Vec<String> =
            inner.strip_prefix("request.body.").ok_or_else(invalid)?.split('.').map(str::to_owned).collect();
        let is_name = |name: &String| !name.is_empty() && !name.contains(['$', '{', '}']);
        if path.iter().all(is_name) { Ok(RouteSelection { path }) } else { Err(invalid()) }
    }

    /// The route key in a message; `None` if the message is not JSON or has no text, number or boolean at the path.
    ///
    /// The rest of the message is only checked for structure: an invalid escape elsewhere in it (half a surrogate pair)
    /// does not keep it from its route.
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
    fn messages_name_their_route() {
        assert_eq!(key(r#"{"message":"hi","action":"sendMessage"}"#).as_deref(), Some("sendMessage"));
        assert_eq!(key(r#"{"action":7}"#).as_deref(), Some("7"));
    }

    #[test]
    fn invalid_messages_have_no_key() {
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
    fn invalid_escapes_elsewhere_are_ignored() {
        assert_eq!(key(r#"{"action":"sendMessage","message":"\ud83d"}"#).as_deref(), Some("sendMessage"));
    }

    #[test]
    fn expressions_may_have_braces_and_paths() {
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
