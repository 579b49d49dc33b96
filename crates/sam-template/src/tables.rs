//! `AWS::DynamoDB::Table`

use std::collections::{BTreeMap, BTreeSet};

use crate::properties::Properties;
use crate::resolver::Resolver;
use crate::{Index, Key, Stream, Table, TemplateError};

const VIEW_TYPES: [&str; 4] = ["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"];

pub(crate) fn table(resolver: &Resolver, id: &str, properties: &Properties) -> Result<Table, TemplateError> {
    let name = resolver.name(id)?;
    let mut attributes = BTreeMap::new();
    for definition in properties.mappings("AttributeDefinitions")? {
        let kind = definition.required_text("AttributeType")?;
        if !["S", "N", "B"].contains(&kind.as_str()) {
            return Err(definition.error("AttributeType", format!("`{kind}` is not S, N or B")));
        }
        attributes.insert(definition.required_text("AttributeName")?, kind);
    }
    let key = key(properties, &attributes)?;
    let mut indexes = Vec::new();
    for index in properties.mappings("GlobalSecondaryIndexes")? {
        let projection = index.nested("Projection")?;
        indexes.push(Index {
            name: index.required_text("IndexName")?,
            key: self::key(&index, &attributes)?,
            projection: projection.required_text("ProjectionType")?,
            included: projection.texts("NonKeyAttributes")?,
        });
    }
    if properties.get("LocalSecondaryIndexes").is_some() {
        return Err(properties.error("LocalSecondaryIndexes", "local secondary indexes are not supported"));
    }
    let used: BTreeSet<&String> = std::iter::once(&key)
        .chain(indexes.iter().map(|index| &index.key))
        .flat_map(|key| std::iter::once(&key.partition).chain(&key.sort))
        .collect();
    if let Some(unused) = attributes.keys().find(|name| !used.contains(name)) {
        let problem =
            format!("`{unused}` is not a key of the table or of an index; DynamoDB rejects such a definition");
        return Err(properties.error("AttributeDefinitions", problem));
    }
    let stream = match properties.get("StreamSpecification") {
        None => None,
        Some(_) => {
            let specification = properties.nested("StreamSpecification")?;
            let view_type = specification.required_text("StreamViewType")?;
            if !VIEW_TYPES.contains(&view_type.as_str()) {
                let problem = format!("`{view_type}` is not one of {}", VIEW_TYPES.join(", "));
                return Err(specification.error("StreamViewType", problem));
            }
            Some(Stream { arn: resolver.stream_arn(&name), view_type })
        }
    };
    let ttl = properties.nested("TimeToLiveSpecification")?;
    let ttl_attribute =
        if ttl.boolean("Enabled")?.unwrap_or(false) { Some(ttl.required_text("AttributeName")?) } else { None };
    let arn = resolver.attribute(id, "Arn", &properties.path("TableName"))?;
    Ok(Table { logical_id: id.to_owned(), name, arn, attributes, key, indexes, stream, ttl_attribute })
}

fn key(owner: &Properties, attributes: &BTreeMap<String, String>) -> Result<Key, TemplateError> {
    let mut partition = None;
    let mut sort = None;
    for element in owner.mappings("KeySchema")? {
        let name = element.required_text("AttributeName")?;
        if !attributes.contains_key(&name) {
            return Err(element.error("AttributeName", format!("`{name}` is missing from `AttributeDefinitions`")));
        }
        match element.required_text("KeyType")?.as_str() {
            "HASH" => partition = Some(name),
            "RANGE" => sort = Some(name),
            other => return Err(element.error("KeyType", format!("`{other}` is not HASH or RANGE"))),
        }
    }
    let partition = partition.ok_or_else(|| owner.error("KeySchema", "a key needs an attribute of KeyType HASH"))?;
    Ok(Key { partition, sort })
}
