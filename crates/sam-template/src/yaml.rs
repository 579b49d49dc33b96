//! Reads YAML with CloudFormation's tags into JSON, with every intrinsic function in its long form: `!Ref X` becomes
//! `{"Ref": "X"}`, `!GetAtt A.B` becomes `{"Fn::GetAtt": ["A", "B"]}`. JSON is YAML, so a JSON template works too.

use saphyr::{MarkedYaml, Scalar, YamlData, YamlLoader};
use saphyr_parser::{BufferedInput, Marker, Parser};
use serde_json::{Map, Number, Value, json};

use crate::TemplateError;

/// Functions whose tag is `!X` and whose long form is `Fn::X`.
const FUNCTIONS: [&str; 16] = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
];

/// Parses one document, which must be a mapping. The order of keys is lost; see [`keys_of`].
pub(crate) fn parse(source: &str) -> Result<Map<String, Value>, TemplateError> {
    match document(source)?.map(value).transpose()? {
        Some(Value::Object(root)) => Ok(root),
        _ => Err(TemplateError::NotYaml("it is not a mapping with `Resources`".into())),
    }
}

/// The keys of a section, in the order of the document.
pub(crate) fn keys_of(source: &str, section: &str) -> Result<Vec<String>, TemplateError> {
    let Some(YamlData::Mapping(root)) = document(source)?.map(|root| root.data) else { return Ok(Vec::new()) };
    for (key, entry) in root {
        if name(key)? == section
            && let YamlData::Mapping(entries) = entry.data
        {
            return entries.into_iter().map(|(key, _)| name(key)).collect();
        }
    }
    Ok(Vec::new())
}

fn document(source: &str) -> Result<Option<MarkedYaml<'_>>, TemplateError> {
    let mut loader = YamlLoader::<MarkedYaml>::default();
    // Scalars stay as they are written: a tag on a parsed one is lost, and `!Sub 007` is text.
    loader.early_parse(false);
    Parser::new(BufferedInput::new(source.chars()))
        .load(&mut loader, true)
        .map_err(|error| TemplateError::NotYaml(error.to_string()))?;
    if let Some(error) = loader.error() {
        return Err(TemplateError::NotYaml(error.to_string()));
    }
    let mut documents = loader.into_documents();
    if documents.len() > 1 {
        return Err(TemplateError::NotYaml("it holds more than one document".into()));
    }
    Ok(documents.pop())
}

fn value(node: MarkedYaml<'_>) -> Result<Value, TemplateError> {
    let at = node.span.start;
    match node.data {
        YamlData::Representation(text, style, tag) => match tag {
            Some(tag) if !tag.is_yaml_core_schema() => tagged(&tag.to_string(), Value::String(text.into_owned()), at),
            tag => match Scalar::parse_from_cow_and_metadata(text, style, tag.as_ref()) {
                Some(scalar) => Ok(scalar_value(scalar)),
                None => Err(error("this value does not match its tag", at)),
            },
        },
        YamlData::Value(scalar) => Ok(scalar_value(scalar)),
        YamlData::Sequence(items) => items.into_iter().map(value).collect::<Result<_, _>>().map(Value::Array),
        YamlData::Mapping(entries) => {
            let mut map = Map::new();
            for (key, entry) in entries {
                map.insert(name(key)?, value(entry)?);
            }
            Ok(Value::Object(map))
        }
        YamlData::Tagged(tag, inner) => tagged(&tag.to_string(), value(*inner)?, at),
        YamlData::Alias(_) | YamlData::BadValue => Err(error("this cannot be read", at)),
    }
}

fn name(key: MarkedYaml<'_>) -> Result<String, TemplateError> {
    let at = key.span.start;
    match key.data {
        YamlData::Representation(text, _, None) => Ok(text.into_owned()),
        YamlData::Value(Scalar::String(text)) => Ok(text.into_owned()),
        _ => Err(error("a key must be plain text", at)),
    }
}

fn scalar_value(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(value),
        Scalar::Integer(value) => Value::Number(value.into()),
        Scalar::FloatingPoint(value) => Number::from_f64(value.into_inner()).map_or(Value::Null, Value::Number),
        Scalar::String(text) => Value::String(text.into_owned()),
    }
}

fn tagged(tag: &str, value: Value, at: Marker) -> Result<Value, TemplateError> {
    let function = tag.trim_start_matches('!');
    match function {
        "Ref" | "Condition" => Ok(json!({ function: value })),
        "GetAtt" => match &value {
            Value::String(text) => match text.split_once('.') {
                Some((resource, attribute)) => Ok(json!({ "Fn::GetAtt": [resource, attribute] })),
                None => Err(error(
                    &format!("`!GetAtt {text}` names no attribute; write for example `!GetAtt {text}.Arn`"),
                    at,
                )),
            },
            _ => Ok(json!({ "Fn::GetAtt": value })),
        },
        _ if FUNCTIONS.contains(&function) => Ok(json!({ format!("Fn::{function}"): value })),
        _ => Err(error(&format!("`{tag}` is not a CloudFormation function"), at)),
    }
}

fn error(problem: &str, at: Marker) -> TemplateError {
    TemplateError::NotYaml(format!("{problem} (line {}, column {})", at.line(), at.col() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Value {
        Value::Object(parse(source).unwrap())
    }

    #[test]
    fn short_forms_become_long_forms() {
        let template = read(
            "A: !Ref Table\nB: !GetAtt Table.StreamArn\nC: !Sub '${A}-x'\nD: !Join ['-', [a, !Ref B]]\n\
             E: !If [IsProd, 1, !Ref AWS::NoValue]\nF: !Not [!Equals [a, b]]\nG: !Condition IsProd\n\
             H: !GetAtt [A, B]\n",
        );
        assert_eq!(
            template,
            json!({
                "A": {"Ref": "Table"},
                "B": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "C": {"Fn::Sub": "${A}-x"},
                "D": {"Fn::Join": ["-", ["a", {"Ref": "B"}]]},
                "E": {"Fn::If": ["IsProd", 1, {"Ref": "AWS::NoValue"}]},
                "F": {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]},
                "G": {"Condition": "IsProd"},
                "H": {"Fn::GetAtt": ["A", "B"]},
            })
        );
    }

    #[test]
    fn plain_values_keep_their_types() {
        assert_eq!(
            read("A: 30\nB: true\nC: '30'\nD: 2012-10-17\nE:\nF: 0.5\nG: !Sub 007\n$connect: x\n"),
            json!({
                "A": 30, "B": true, "C": "30", "D": "2012-10-17", "E": null, "F": 0.5, "G": {"Fn::Sub": "007"},
                "$connect": "x",
            })
        );
    }

    #[test]
    fn section_keys_keep_their_order() {
        let source = "A: {z: 1, a: 2, m: 3}\nB: x\n";
        assert_eq!(keys_of(source, "A").unwrap(), ["z", "a", "m"]);
        assert_eq!(keys_of(source, "B").unwrap(), [""; 0]);
        assert_eq!(keys_of(source, "C").unwrap(), [""; 0]);
    }

    #[test]
    fn anchors_are_followed() {
        assert_eq!(read("A: &a {x: 1}\nB: *a\n"), json!({"A": {"x": 1}, "B": {"x": 1}}));
    }

    #[test]
    fn errors_name_the_line() {
        for (source, expected) in [
            ("A: !Rff B\n", "`!Rff` is not a CloudFormation function (line 1, column 4)"),
            ("A: 1\nA: 2\n", "duplicated key"),
            ("A: [1, 2\n", "line 2"),
            ("- a\n- b\n", "not a mapping"),
            ("", "not a mapping"),
            ("A: 1\n---\nB: 2\n", "more than one document"),
            ("A: !GetAtt Table\n", "names no attribute"),
            ("? [a, b]\n: 1\n", "a key must be plain text"),
        ] {
            let error = parse(source).unwrap_err().to_string();
            assert!(error.contains(expected), "{source:?} gave {error:?}");
        }
    }
}
