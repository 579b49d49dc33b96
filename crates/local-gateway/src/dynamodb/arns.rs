//! Translates ARNs: dynoxide has its own region, account and stream labels; callers see the template's.

use std::collections::BTreeMap;

use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::{Value, json};

use sam_template::Template;

/// The prefix of every ARN of dynoxide.
fn engine_prefix() -> String {
    format!("arn:aws:dynamodb:{}:{}:", dynoxide::streams::LOCAL_REGION, dynoxide::streams::LOCAL_ACCOUNT)
}

pub(super) struct Arns {
    engine_prefix: String,
    prefix: String,
    region: String,
    /// dynoxide's stream ARNs and labels → the template's
    streams: BTreeMap<String, String>,
}

/// The name of a table, from its name or ARN.
pub(super) fn table_name(name_or_arn: &str) -> &str {
    match name_or_arn.strip_prefix("arn:").and_then(|arn| arn.split_once(":table/")) {
        Some((_, name)) => name.split('/').next().unwrap_or(name),
        None => name_or_arn,
    }
}

impl Arns {
    pub(super) fn of(template: &Template, engine: &dynoxide::Database) -> dynoxide::Result<Arns> {
        let mut streams = BTreeMap::new();
        for table in template.tables.values() {
            let Some(stream) = &table.stream else { continue };
            let request = DescribeTableRequest { table_name: table.name.clone() };
            let described = serde_json::to_value(engine.describe_table(request)?).unwrap_or_default();
            for (field, ours) in [
                ("LatestStreamArn", stream.arn.clone()),
                ("LatestStreamLabel", stream.arn.rsplit("/stream/").next().unwrap_or_default().to_owned()),
            ] {
                if let Some(theirs) = described["Table"][field].as_str() {
                    streams.insert(theirs.to_owned(), ours);
                }
            }
        }
        let stack = &template.stack;
        Ok(Arns {
            engine_prefix: engine_prefix(),
            prefix: format!("arn:aws:dynamodb:{}:{}:", stack.region, stack.account),
            region: stack.region.clone(),
            streams,
        })
    }

    /// Translates the ARNs of a request to dynoxide's.
    pub(super) fn incoming(&self, request: &mut Value) {
        if let Some(Value::String(table)) = request.get_mut("TableName") {
            *table = table_name(table).to_owned();
        }
        for field in ["StreamArn", "ExclusiveStartStreamArn"] {
            if let Some(Value::String(arn)) = request.get_mut(field)
                && let Some((theirs, _)) = self.streams.iter().find(|(_, ours)| *ours == arn)
            {
                *arn = theirs.clone();
            }
        }
    }

    /// Translates the ARNs of a response to the template's. Items are never changed.
    pub(super) fn outgoing(&self, operation: &str, answer: &mut Value) {
        match operation {
            "DescribeTable" | "DescribeStream" | "ListStreams" => self.rename(answer),
            "GetRecords" => {
                for record in answer["Records"].as_array_mut().into_iter().flatten() {
                    record["awsRegion"] = self.region.clone().into();
                    // The API capitalizes these names; the event that Lambda makes of a record does not.
                    if let Some(identity) = record.get_mut("userIdentity") {
                        *identity = json!({ "Type": identity["type"], "PrincipalId": identity["principalId"] });
                    }
                }
            }
            _ => {}
        }
    }

    fn rename(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(ours) = self.streams.get(text.as_str()) {
                    *text = ours.clone();
                } else if let Some(rest) = text.strip_prefix(&self.engine_prefix) {
                    *text = format!("{}{rest}", self.prefix);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.rename(item)),
            _ => {}
        }
    }
}
