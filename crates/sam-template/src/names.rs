//! The names, ARNs and other attributes of resources: what `Ref` and `Fn::GetAtt` say.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::TemplateError;
use crate::intrinsics::{Scope, invalid};

/// The label at the end of every stream's ARN. On AWS it is the time at which the stream was made.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// What `Ref` says of a resource, or of one that SAM generates.
pub(crate) fn reference(scope: &Scope, id: &str, at: &str, depth: usize) -> Result<String, TemplateError> {
    if let Some(reference) = scope.generated.get(id) {
        return Ok(reference.clone());
    }
    if let Some((api, "Stage")) = id.split_once('.') {
        return match property(scope, api, "StageName") {
            Some(stage) => scope.text_at(stage, at, depth + 1),
            None => Ok("default".to_owned()),
        };
    }
    if !scope.resources.contains_key(id) {
        return Err(invalid(at, format!("the template has no parameter or resource `{id}`")));
    }
    match resource_type(scope, id) {
        "AWS::SecretsManager::Secret" => secret_arn(scope, id, depth),
        "AWS::SNS::Topic" => Ok(arn(scope, "sns", &name(scope, id, depth)?)),
        "AWS::SQS::Queue" => {
            let name = name(scope, id, depth)?;
            Ok(format!("https://sqs.{}.amazonaws.com/{}/{name}", scope.stack.region, scope.stack.account))
        }
        "AWS::Serverless::WebSocketApi" => Ok(api_id(scope, id)),
        _ => name(scope, id, depth),
    }
}

/// What `Fn::GetAtt` says of a resource. Of a resource whose type the gateway does not know every attribute exists.
pub(crate) fn attribute(scope: &Scope, id: &str, name_: &str, at: &str, depth: usize) -> Result<String, TemplateError> {
    if !scope.resources.contains_key(id) {
        return match scope.generated.get(id) {
            Some(reference) if name_ == "Arn" => Ok(format!("arn:aws:iam::{}:role/{reference}", scope.stack.account)),
            Some(reference) => Ok(reference.clone()),
            None => Err(invalid(at, format!("the template has no resource `{id}`"))),
        };
    }
    let kind = resource_type(scope, id);
    let name = name(scope, id, depth)?;
    match (kind, name_) {
        ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
            Ok(arn(scope, "lambda", &format!("function:{name}")))
        }
        ("AWS::DynamoDB::Table", "Arn") => Ok(arn(scope, "dynamodb", &format!("table/{name}"))),
        ("AWS::DynamoDB::Table", "StreamArn") => match property(scope, id, "StreamSpecification") {
            Some(_) => Ok(stream_arn(scope, &name)),
            None => Err(invalid(at, format!("`{id}` has no stream: it has no `StreamSpecification`"))),
        },
        ("AWS::DynamoDB::Table", "TableId") => Ok(digits(&format!("{}/{id}", scope.stack.stack_name), 32)),
        ("AWS::Serverless::WebSocketApi", "ApiId") => Ok(api_id(scope, id)),
        ("AWS::Serverless::WebSocketApi", "ApiEndpoint") => {
            Ok(format!("wss://{}.execute-api.{}.amazonaws.com", api_id(scope, id), scope.stack.region))
        }
        ("AWS::SecretsManager::Secret", "Id") => secret_arn(scope, id, depth),
        ("AWS::S3::Bucket", "Arn") => Ok(format!("arn:aws:s3:::{name}")),
        ("AWS::S3::Bucket", "DomainName") => Ok(format!("{name}.s3.amazonaws.com")),
        ("AWS::S3::Bucket", "RegionalDomainName") => Ok(format!("{name}.s3.{}.amazonaws.com", scope.stack.region)),
        ("AWS::SQS::Queue", "Arn") => Ok(arn(scope, "sqs", &name)),
        ("AWS::SQS::Queue", "QueueName") => Ok(name),
        ("AWS::SQS::Queue", "QueueUrl") => reference(scope, id, at, depth),
        ("AWS::SNS::Topic", "TopicArn") => Ok(arn(scope, "sns", &name)),
        ("AWS::SNS::Topic", "TopicName") => Ok(name),
        (
            "AWS::Serverless::Function"
            | "AWS::DynamoDB::Table"
            | "AWS::Serverless::WebSocketApi"
            | "AWS::SecretsManager::Secret"
            | "AWS::S3::Bucket"
            | "AWS::SQS::Queue"
            | "AWS::SNS::Topic",
            _,
        ) => Err(invalid(at, format!("`{id}` ({kind}) has no attribute `{name_}`"))),
        (_, "Arn") => {
            let service = kind.split("::").nth(1).unwrap_or_default().to_lowercase();
            Ok(arn(scope, &service, &name))
        }
        _ => Ok(format!("{name}-{name_}")),
    }
}

/// A resource's physical name: the property that names it, else `<stack>-<logical id>`.
pub(crate) fn name(scope: &Scope, id: &str, depth: usize) -> Result<String, TemplateError> {
    let naming = match resource_type(scope, id) {
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::IAM::Role" => "RoleName",
        _ => "Name",
    };
    if let Some(given) = property(scope, id, naming)
        && let Some(given) = scope.value(given, &format!("Resources.{id}.Properties.{naming}"), depth + 1)?
        && let Some(text) = crate::properties::text_of(&given)
    {
        return Ok(text);
    }
    let name = format!("{}-{id}", scope.stack.stack_name);
    Ok(if resource_type(scope, id) == "AWS::S3::Bucket" { name.to_lowercase() } else { name })
}

pub(crate) fn stream_arn(scope: &Scope, table: &str) -> String {
    arn(scope, "dynamodb", &format!("table/{table}/stream/{STREAM_LABEL}"))
}

pub(crate) fn secret_arn(scope: &Scope, id: &str, depth: usize) -> Result<String, TemplateError> {
    let name = name(scope, id, depth)?;
    Ok(arn(scope, "secretsmanager", &format!("secret:{name}-{}", letters(&name, 6))))
}

pub(crate) fn api_id(scope: &Scope, id: &str) -> String {
    letters(&format!("{}/{id}", scope.stack.stack_name), 10)
}

pub(crate) fn resource_type<'s>(scope: &'s Scope, id: &str) -> &'s str {
    scope.resources.get(id).and_then(|resource| resource["Type"].as_str()).unwrap_or_default()
}

/// The part of a route's logical id that SAM makes of its key with Python's `capitalize()`: the first letter large, all
/// others small, so `sendMessage` is `Sendmessage`.
pub(crate) fn capitalized(route_key: &str) -> String {
    let key = route_key.trim_start_matches('$').to_lowercase();
    let mut letters = key.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Hexadecimal digits that are always the same for one text.
pub(crate) fn digits(of: &str, length: usize) -> String {
    Sha256::digest(of.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..length.min(64)]
        .to_owned()
}

/// Small letters and digits that are always the same for one text.
fn letters(of: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    Sha256::digest(of.as_bytes())
        .iter()
        .take(length)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

fn property<'s>(scope: &'s Scope, id: &str, name: &str) -> Option<&'s Value> {
    scope.resources.get(id)?.get("Properties")?.get(name)
}

fn arn(scope: &Scope, service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{rest}", scope.stack.region, scope.stack.account)
}
