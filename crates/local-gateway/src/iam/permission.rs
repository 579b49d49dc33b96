//! The permissions that a call needs: the actions and resources that AWS looks up in the caller's policies.
//!
//! Actions and their resources:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>; transactions:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::secrets::Secrets;
use sam_template::{StackContext, Table, Template};

/// One action on one resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Permission {
    /// For example `dynamodb:PutItem`.
    pub action: String,
    /// An ARN.
    pub resource: String,
    /// The partition keys of the call; `None` if they are unknown.
    pub leading_keys: Option<BTreeSet<String>>,
}

/// Tells what calls need, and how the template names it.
pub(super) struct Permissions {
    stack: StackContext,
    /// By name.
    tables: BTreeMap<String, Table>,
    /// ARN → logical id
    secrets: BTreeMap<String, String>,
    api: Option<Api>,
}

struct Api {
    logical_id: String,
    id: String,
    stage: String,
    /// The parameter that seems to name the stage.
    stage_parameter: Option<String>,
}

impl Permissions {
    pub(super) fn of(template: &Template) -> Permissions {
        Permissions {
            stack: template.stack.clone(),
            tables: template.tables.values().map(|table| (table.name.clone(), table.clone())).collect(),
            secrets: template.secrets.values().map(|secret| (secret.arn.clone(), secret.logical_id.clone())).collect(),
            api: template.api.as_ref().map(|api| {
                let is_stage = |(name, value): &(&String, &String)| name.contains("Stage") && **value == api.stage;
                let stage_parameter = template.parameters.iter().find(is_stage).map(|(name, _)| name.clone());
                Api {
                    logical_id: api.logical_id.clone(),
                    id: api.id.clone(),
                    stage: api.stage.clone(),
                    stage_parameter,
                }
            }),
        }
    }

    /// What a call to DynamoDB needs. Nothing for a call without a table, which DynamoDB itself rejects, and for
    /// `GetRecords`, whose iterator only a caller with access to the stream gets.
    pub(super) fn of_dynamodb(&self, operation: &str, request: &Value) -> Vec<Permission> {
        let permission = |action: &str, resource: String, keys| Permission {
            action: format!("dynamodb:{action}"),
            resource,
            leading_keys: keys,
        };
        let one = |action: &str, request: &Value, key: &Value| {
            let table = request["TableName"].as_str()?;
            Some(permission(action, self.table_arn(table), Some(self.leading_key(table, key).into_iter().collect())))
        };
        let each = |field: &str| request[field].as_array().into_iter().flatten();
        match operation {
            "GetItem" | "UpdateItem" | "DeleteItem" => one(operation, request, &request["Key"]).into_iter().collect(),
            "PutItem" => one(operation, request, &request["Item"]).into_iter().collect(),
            "TransactGetItems" | "TransactWriteItems" => {
                let parts = each("TransactItems").filter_map(Value::as_object).flatten();
                let part = |(kind, part): (&String, &Value)| match kind.as_str() {
                    "Put" => one("PutItem", part, &part["Item"]),
                    "ConditionCheck" => one("ConditionCheckItem", part, &part["Key"]),
                    kind => one(&format!("{kind}Item"), part, &part["Key"]),
                };
                parts.filter_map(part).collect()
            }
            "BatchGetItem" | "BatchWriteItem" => {
                let tables = request["RequestItems"].as_object().into_iter().flatten();
                let table = |(table, requested): (&String, &Value)| {
                    let keys = requested["Keys"].as_array().or(requested.as_array()).into_iter().flatten();
                    let keys = keys.map(|key| match (&key["PutRequest"]["Item"], &key["DeleteRequest"]["Key"]) {
                        (Value::Null, Value::Null) => key,
                        (Value::Null, key) => key,
                        (item, _) => item,
                    });
                    let keys = keys.filter_map(|key| self.leading_key(table, key)).collect();
                    permission(operation, self.table_arn(table), Some(keys))
                };
                tables.map(table).collect()
            }
            "Query" | "Scan" => {
                let Some(table) = request["TableName"].as_str() else { return Vec::new() };
                let index = request["IndexName"].as_str();
                let resource = match index {
                    Some(index) => format!("{}/index/{index}", self.table_arn(table)),
                    None => self.table_arn(table),
                };
                let keys =
                    if operation == "Scan" { Some(BTreeSet::new()) } else { self.queried(table, index, request) };
                vec![permission(operation, resource, keys)]
            }
            "ListTables" => vec![permission(operation, self.table_arn("*"), None)],
            "ListStreams" => vec![permission(operation, format!("{}/stream/*", self.table_arn("*")), None)],
            "DescribeStream" | "GetShardIterator" => {
                let stream = request["StreamArn"].as_str();
                stream.map(|stream| permission(operation, stream.to_owned(), None)).into_iter().collect()
            }
            "DescribeTable" | "DescribeTimeToLive" | "UpdateTimeToLive" => {
                let table = request["TableName"].as_str();
                table.map(|table| permission(operation, self.table_arn(table), None)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// What a call to Secrets Manager needs.
    pub(super) fn of_secrets(&self, operation: &str, request: &Value, secrets: &Secrets) -> Vec<Permission> {
        let Some(id) = request["SecretId"].as_str().filter(|_| operation == "GetSecretValue") else {
            return Vec::new();
        };
        let resource = match secrets.find(id) {
            Some(secret) => secret.arn.clone(),
            None if id.starts_with("arn:") => id.to_owned(),
            None => format!("arn:aws:secretsmanager:{}:{}:secret:{id}", self.stack.region, self.stack.account),
        };
        vec![Permission { action: format!("secretsmanager:{operation}"), resource, leading_keys: None }]
    }

    /// What a request to `@connections` needs.
    pub(super) fn of_connections(&self, method: &str, connection: &str) -> Vec<Permission> {
        let Some(Api { id: api, stage, .. }) = &self.api else { return Vec::new() };
        let StackContext { region, account, .. } = &self.stack;
        let resource =
            format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}/{method}/@connections/{connection}");
        vec![Permission { action: "execute-api:ManageConnections".to_owned(), resource, leading_keys: None }]
    }

    /// A resource as a statement of this template names it, ready to be pasted.
    pub(super) fn as_in_template(&self, resource: &str) -> String {
        if let Some(secret) = self.secrets.get(resource) {
            return format!("!Ref {secret}");
        }
        for table in self.tables.values() {
            match resource.strip_prefix(&table.arn) {
                Some("") => return format!("!GetAtt {}.Arn", table.logical_id),
                Some(rest) if rest.starts_with('/') => return format!("!Sub \"${{{}.Arn}}{rest}\"", table.logical_id),
                _ => {}
            }
        }
        if let Some(Api { logical_id, id, stage, stage_parameter }) = &self.api
            && let Some((_, path)) = resource.split_once(&format!(":{id}/{stage}/"))
            && let Some((method, _)) = path.split_once("/@connections/")
        {
            let stage = stage_parameter.as_ref().map_or(stage.clone(), |name| format!("${{{name}}}"));
            let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}";
            return format!("!Sub \"{arn}:${{{logical_id}}}/{stage}/{method}/@connections/*\"");
        }
        format!("\"{resource}\"")
    }

    fn table_arn(&self, name_or_arn: &str) -> String {
        if name_or_arn.starts_with("arn:") {
            return name_or_arn.to_owned();
        }
        format!("arn:aws:dynamodb:{}:{}:table/{name_or_arn}", self.stack.region, self.stack.account)
    }

    fn table(&self, name_or_arn: &str) -> Option<&Table> {
        self.tables.values().find(|table| table.name == name_or_arn || table.arn == name_or_arn)
    }

    /// The partition key of an item or of a key.
    fn leading_key(&self, table: &str, item: &Value) -> Option<String> {
        text(&item[&self.table(table)?.key.partition])
    }

    /// The partition key of a query.
    fn queried(&self, table: &str, index: Option<&str>, request: &Value) -> Option<BTreeSet<String>> {
        let table = self.table(table)?;
        let partition = match index {
            Some(index) => &table.indexes.iter().find(|known| known.name == index)?.key.partition,
            None => &table.key.partition,
        };
        let words = request["KeyConditionExpression"].as_str()?.replace(['(', ')'], " ").replace('=', " = ");
        let words: Vec<&str> = words.split_whitespace().collect();
        let is_partition = |word: &str| {
            let name = request["ExpressionAttributeNames"][word].as_str().unwrap_or(word);
            name == partition
        };
        let compared = words.windows(3).find_map(|words| match words {
            [name, "=", value] if is_partition(name) => Some(value),
            [value, "=", name] if is_partition(name) => Some(value),
            _ => None,
        });
        text(&request["ExpressionAttributeValues"][*compared?]).map(|key| BTreeSet::from([key]))
    }
}

/// The value of a key as conditions compare it.
fn text(value: &Value) -> Option<String> {
    ["S", "N", "B"].iter().find_map(|kind| value[*kind].as_str()).map(str::to_owned)
}
