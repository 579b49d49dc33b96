//! `AWS::DynamoDB::Table` and `AWS::SecretsManager::Secret`.

use std::collections::{BTreeMap, BTreeSet};

use crate::intrinsics::Scope;
use crate::properties::Properties;
use crate::{GenerateSecretString, Index, Key, Secret, Stream, Table, TemplateError, names};

const VIEW_TYPES: [&str; 4] = ["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"];

pub(crate) fn table(scope: &Scope, id: &str, properties: &Properties) -> Result<Table, TemplateError> {
    let at = properties.path("TableName");
    let name = names::name(scope, id, 0)?;
    let mut attributes = BTreeMap::new();
    for definition in properties.mappings("AttributeDefinitions")? {
        let kind = definition.required_text("AttributeType")?;
        if !["S", "N", "B"].contains(&kind.as_str()) {
            return Err(definition.wrong("AttributeType", format!("`{kind}` is not S, N or B")));
        }
        attributes.insert(definition.required_text("AttributeName")?, kind);
    }
    let key = key(properties, &attributes)?;
    let mut indexes = Vec::new();
    for index in properties.mappings("GlobalSecondaryIndexes")? {
        let projection = index.below("Projection")?;
        indexes.push(Index {
            name: index.required_text("IndexName")?,
            key: self::key(&index, &attributes)?,
            projection: projection.required_text("ProjectionType")?,
            included: projection.texts("NonKeyAttributes")?,
        });
    }
    if properties.get("LocalSecondaryIndexes").is_some() {
        return Err(properties.wrong("LocalSecondaryIndexes", "local secondary indexes are not supported here"));
    }
    let used: BTreeSet<&String> = std::iter::once(&key)
        .chain(indexes.iter().map(|index| &index.key))
        .flat_map(|key| std::iter::once(&key.partition).chain(&key.sort))
        .collect();
    if let Some(unused) = attributes.keys().find(|name| !used.contains(name)) {
        let problem =
            format!("`{unused}` is no key of the table or of an index, and DynamoDB refuses such a definition");
        return Err(properties.wrong("AttributeDefinitions", problem));
    }
    let stream = match properties.get("StreamSpecification") {
        None => None,
        Some(_) => {
            let specification = properties.below("StreamSpecification")?;
            let view_type = specification.required_text("StreamViewType")?;
            if !VIEW_TYPES.contains(&view_type.as_str()) {
                return Err(specification
                    .wrong("StreamViewType", format!("`{view_type}` is not one of {}", VIEW_TYPES.join(", "))));
            }
            Some(Stream { arn: names::stream_arn(scope, &name), view_type })
        }
    };
    let ttl = properties.below("TimeToLiveSpecification")?;
    let ttl_attribute =
        if ttl.truth("Enabled")?.unwrap_or(false) { Some(ttl.required_text("AttributeName")?) } else { None };
    let arn = names::attribute(scope, id, "Arn", &at, 0)?;
    Ok(Table { logical_id: id.to_owned(), name, arn, attributes, key, indexes, stream, ttl_attribute })
}

fn key(of: &Properties, attributes: &BTreeMap<String, String>) -> Result<Key, TemplateError> {
    let (mut partition, mut sort) = (None, None);
    for element in of.mappings("KeySchema")? {
        let name = element.required_text("AttributeName")?;
        if !attributes.contains_key(&name) {
            return Err(element.wrong("AttributeName", format!("`{name}` is missing from `AttributeDefinitions`")));
        }
        match element.required_text("KeyType")?.as_str() {
            "HASH" => partition = Some(name),
            "RANGE" => sort = Some(name),
            other => return Err(element.wrong("KeyType", format!("`{other}` is not HASH or RANGE"))),
        }
    }
    let partition = partition.ok_or_else(|| of.wrong("KeySchema", "a key needs an attribute of KeyType HASH"))?;
    Ok(Key { partition, sort })
}

pub(crate) fn secret(scope: &Scope, id: &str, properties: &Properties) -> Result<Secret, TemplateError> {
    let generate = match properties.get("GenerateSecretString") {
        None => None,
        Some(_) => {
            let wanted = properties.below("GenerateSecretString")?;
            let json = match (wanted.text("SecretStringTemplate")?, wanted.text("GenerateStringKey")?) {
                (Some(template), Some(key)) => Some((template, key)),
                (None, None) => None,
                _ => return Err(wanted.wrong("GenerateStringKey", "this goes together with `SecretStringTemplate`")),
            };
            let flag = |name: &str| Ok::<bool, TemplateError>(wanted.truth(name)?.unwrap_or(false));
            Some(GenerateSecretString {
                length: wanted.number("PasswordLength", 1..=4096)?.unwrap_or(32),
                exclude_characters: wanted.text("ExcludeCharacters")?.unwrap_or_default(),
                exclude_lowercase: flag("ExcludeLowercase")?,
                exclude_uppercase: flag("ExcludeUppercase")?,
                exclude_numbers: flag("ExcludeNumbers")?,
                exclude_punctuation: flag("ExcludePunctuation")?,
                include_space: flag("IncludeSpace")?,
                require_each_included_type: wanted.truth("RequireEachIncludedType")?.unwrap_or(true),
                json,
            })
        }
    };
    Ok(Secret {
        logical_id: id.to_owned(),
        name: names::name(scope, id, 0)?,
        arn: names::secret_arn(scope, id, 0)?,
        value: properties.text("SecretString")?,
        generate,
    })
}
