//! The envelope of every request.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Refusal;
use crate::access::Action;

/// A JSON object with an `action` and its fields.
pub struct Frame {
    /// The `action` as the client wrote it, echoed in the reply.
    pub action_name: String,
    /// The same, parsed; `None` if there is no such action.
    pub action: Option<Action>,
    /// Echoed in the reply.
    pub request_id: Option<String>,
    fields: Map<String, Value>,
}

/// A body that is not a frame, with as much of the envelope as could be read.
pub struct InvalidFrame {
    /// The `action` as the client wrote it, if it could be read.
    pub action_name: Option<String>,
    /// Echoed in the reply.
    pub request_id: Option<String>,
    /// The error that the client receives.
    pub refusal: Box<Refusal>,
}

impl Frame {
    const MAX_ACTION: usize = 64;
    const MAX_REQUEST_ID: usize = 64;
    /// The most characters of an error about a field, which may quote the value.
    const MAX_REASON: usize = 300;

    /// Reads the body of a WebSocket event.
    pub fn parse(body: &str) -> Result<Self, InvalidFrame> {
        let invalid = |action_name, request_id, message: String| InvalidFrame {
            action_name,
            request_id,
            refusal: Box::new(Refusal::bad_request(message)),
        };
        let mut fields = match serde_json::from_str(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => {
                return Err(invalid(
                    None,
                    None,
                    "frame is not a JSON object; send one with an `action` field".to_owned(),
                ));
            }
            Err(error) => {
                let Envelope { action_name, request_id } = Envelope::read(body);
                return Err(invalid(action_name, request_id, format!("frame is not valid JSON: {error}")));
            }
        };
        fields.values_mut().for_each(normalize_numbers);
        let action_name = match fields.remove("action") {
            Some(Value::String(action)) if action.chars().count() <= Self::MAX_ACTION => Ok(action),
            Some(_) => Err("`action` must be a string of at most 64 characters"),
            None => Err("missing field `action`"),
        };
        let request_id = match fields.remove("request_id") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(id)) if id.chars().count() <= Self::MAX_REQUEST_ID => Ok(Some(id)),
            Some(_) => Err("`request_id` must be a string of at most 64 characters"),
        };
        match (action_name, request_id) {
            (Ok(action_name), Ok(request_id)) => {
                let action = action_name.parse().ok();
                Ok(Self { action_name, action, request_id, fields })
            }
            (Ok(action_name), Err(message)) => Err(invalid(Some(action_name), None, message.to_owned())),
            (Err(message), request_id) => Err(invalid(None, request_id.unwrap_or_default(), message.to_owned())),
        }
    }

    /// The fields of the action; a refusal names the invalid field.
    pub fn fields<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        serde_path_to_error::deserialize(Value::Object(self.fields)).map_err(|error| {
            let path = error.path().to_string();
            let reason: String = error.into_inner().to_string().chars().take(Self::MAX_REASON).collect();
            Refusal::bad_request(if path == "." { reason } else { format!("`{path}`: {reason}") })
        })
    }
}

/// Turns whole-number floats into integers: to JavaScript, Lua and many JSON libraries, `3.0` and `3` are one number.
fn normalize_numbers(value: &mut Value) {
    /// Up to 2^53, every whole number is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64()
                && number.is_f64()
                && float.fract() == 0.0
                && float.abs() < EXACT
                && let Ok(integer) = format!("{float:.0}").parse::<i64>()
            {
                *number = integer.into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(normalize_numbers),
        Value::Object(fields) => fields.values_mut().for_each(normalize_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// What can be read of a body that is not valid JSON, so that its sender can tell which request failed. Half a
/// surrogate pair is skipped together with its field; any other mistake ends the reading.
#[derive(Default)]
struct Envelope {
    action_name: Option<String>,
    request_id: Option<String>,
}

impl Envelope {
    fn read(body: &str) -> Self {
        let mut envelope = Self::default();
        // The error is known; what was read before it is kept.
        let _ = EnvelopeReader(&mut envelope).deserialize(&mut serde_json::Deserializer::from_str(body));
        envelope
    }
}

struct EnvelopeReader<'a>(&'a mut Envelope);

impl<'de> DeserializeSeed<'de> for EnvelopeReader<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeReader<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let text = |value: Value, most| match value {
            Value::String(text) if text.chars().count() <= most => Some(text),
            _ => None,
        };
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "action" => self.0.action_name = text(fields.next_value()?, Frame::MAX_ACTION),
                "request_id" => self.0.request_id = text(fields.next_value()?, Frame::MAX_REQUEST_ID),
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The maximum length of a page: 1 to 100, by default 30.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(30)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<u64>::deserialize(deserializer)? {
            None => Ok(Self::default()),
            Some(size @ 1..=100) => Ok(Self(u16::try_from(size).unwrap_or(100))),
            Some(_) => Err(serde::de::Error::custom("must be from 1 to 100")),
        }
    }
}

/// A month, `2026-11`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct Month(String);

impl Month {
    /// `2026-11`
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Month {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        let valid = text
            .split_once('-')
            .is_some_and(|(year, month)| digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month));
        if valid { Ok(Self(text)) } else { Err("must be a month such as `2026-11`") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{RoomId, Seq};

    #[derive(Debug, serde::Deserialize)]
    struct Fields {
        #[serde(rename = "room_id")]
        _room_id: RoomId,
        #[serde(rename = "seq")]
        _seq: Option<Seq>,
    }

    fn refusal(body: &str) -> String {
        match Frame::parse(body) {
            Err(invalid) => invalid.refusal.message,
            Ok(frame) => frame.fields::<Fields>().expect_err("must be refused").message,
        }
    }

    #[test]
    fn refusal_names_the_invalid_field() {
        assert_eq!(refusal(r#"{"action":"x"}"#), "missing field `room_id`");
        assert!(refusal(r#"{"action":"x","room_id":5}"#).starts_with("`room_id`: invalid type"));
        assert!(refusal(r#"{"action":"x","room_id":"open:a","seq":-1}"#).starts_with("`seq`: must be a whole number"));
        assert!(
            refusal(r#"{"action":"x","room_id":"open:a","seq":9223372036854775808}"#).starts_with("`seq`: must be")
        );
        assert!(refusal(r#"{"action":"x","room_id":"nowhere"}"#).starts_with("`room_id`: must be `consult:"));
    }

    #[test]
    fn invalid_frames_are_refused() {
        assert!(refusal("hello").starts_with("frame is not valid JSON"));
        assert!(refusal("[1]").contains("JSON object"));
        assert!(refusal(r#"{"room_id":"open:a"}"#).contains("`action`"));
        assert!(refusal(r#"{"action":"x","message":"\ud800"}"#).starts_with("frame is not valid JSON"));
        assert!(refusal(&format!(r#"{{"action":"x","request_id":"{}"}}"#, "9".repeat(65))).contains("`request_id`"));
    }

    #[test]
    fn errors_echo_what_can_be_read() {
        let envelope = |body: &str| {
            let invalid = Frame::parse(body).err().expect("is refused");
            (invalid.action_name.unwrap_or_default(), invalid.request_id.unwrap_or_default())
        };
        let read = ("sendMessage".to_owned(), "7".to_owned());
        for body in [
            r#"{"action":"sendMessage","request_id":"7","message":"\ud83d"}"#,
            r#"{"message":"a \udc00 b","request_id":"7","action":"sendMessage"}"#,
            r#"{"reply":{"\ud800":["\ud800"]},"request_id":"7","action":"sendMessage"}"#,
            r#"{"action":"sendMessage","request_id":"7","message":"cut of"#,
            r#"{"action":"sendMessage","request_id":"7",}"#,
            r#"{"action":"sendMessage","request_id":"7"} {}"#,
        ] {
            assert_eq!(envelope(body), read, "{body}");
        }
        assert_eq!(envelope(r#"{"action":"x","request_id":"\ud800"}"#), ("x".to_owned(), String::new()));
        assert_eq!(envelope("hello"), (String::new(), String::new()));
    }

    #[test]
    fn whole_number_floats_are_integers() {
        let seq = |number: &str| {
            let frame = Frame::parse(&format!(r#"{{"action":"x","room_id":"open:a","seq":{number}}}"#));
            let fields = frame.ok().expect("a frame").fields::<Fields>();
            fields.ok().and_then(|fields| fields._seq).map(Seq::get)
        };
        assert_eq!([seq("3"), seq("3.0"), seq("3e0"), seq("0.3e1")], [Some(3); 4]);
        for refused in ["3.5", "0.0", "-3.0", "1e300", "9007199254740992.0"] {
            assert_eq!(seq(refused), None, "{refused}");
        }
    }

    mod arbitrary_input {
        use proptest::prelude::*;

        use super::*;

        /// JSON of any shape, up to four levels deep.
        fn json() -> impl Strategy<Value = Value> {
            let leaf = prop_oneof![
                Just(Value::Null),
                any::<bool>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from),
                any::<u64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                "\\PC{0,80}".prop_map(Value::from),
            ];
            leaf.prop_recursive(4, 32, 6, |inner| {
                prop_oneof![
                    prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                    prop::collection::btree_map("[a-z_]{1,12}", inner, 0..6)
                        .prop_map(|map| Value::from(Map::from_iter(map))),
                ]
            })
        }

        fn handle(body: &str) {
            match Frame::parse(body) {
                Ok(frame) => {
                    assert!(frame.action_name.chars().count() <= Frame::MAX_ACTION);
                    let _ = frame.fields::<Fields>().map_err(|refusal| {
                        assert!(refusal.message.len() < 2_000, "{}", refusal.message);
                    });
                }
                Err(invalid) => assert!(invalid.refusal.message.len() < 2_000),
            }
        }

        proptest! {
            #[test]
            fn any_text_is_handled(body in "\\PC*") {
                handle(&body);
            }

            #[test]
            fn any_json_is_handled(body in json(), room in json(), seq in json(), action in json()) {
                handle(&body.to_string());
                let frame = serde_json::json!({"action": action, "room_id": room, "seq": seq, "request_id": body});
                handle(&frame.to_string());
                handle(&serde_json::json!({"action": "x", "room_id": "open:a", "seq": seq}).to_string());
            }

            #[test]
            fn any_depth_is_handled(depth in 0usize..100_000) {
                handle(&format!(r#"{{"action":"x","room_id":{}"#, "[".repeat(depth)));
            }
        }
    }
}
