//! Reading rows that a newer version has written. A field that this version cannot read counts as absent, so that one
//! value that it does not know never costs a whole row, or the rows beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Sender, Translation, TranslationMode};
use crate::ids::Participant;
use crate::language::Language;

/// The value, or the default if it is unknown.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// The sender, or nobody.
pub(super) fn sender<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sender, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_else(|_| Sender::unknown()))
}

/// The participant, or nobody.
pub(super) fn participant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Participant, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_else(|_| Participant::unknown()))
}

/// The mode, or the strictest one.
pub(super) fn translation_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TranslationMode, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or(TranslationMode::Off))
}

/// The translations that can be read. The others stay in the table: none is written over.
pub(super) fn translations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Language, Translation>, D::Error> {
    let Value::Object(fields) = Value::deserialize(deserializer)? else { return Ok(BTreeMap::new()) };
    let known = fields.into_iter().filter_map(|(language, translation)| {
        Some((language.parse().ok()?, serde_json::from_value(translation).ok()?))
    });
    Ok(known.collect())
}

/// The languages that can be read of a string set.
pub(super) mod languages {
    use super::{BTreeSet, Deserializer, Language};

    pub(in super::super) use serde_dynamo::string_set::serialize;

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<Language>, D::Error> {
        let tags: BTreeSet<String> = serde_dynamo::string_set::deserialize(deserializer)?;
        Ok(tags.iter().filter_map(|tag| tag.parse().ok()).collect())
    }
}
