//! The physical names, ARNs and other attributes of resources.

use crate::TemplateError;
use crate::error::invalid;
use crate::identifiers::{alphanumeric_id, hex_id};
use crate::intrinsics::{Evaluator, ResourceNames};
use crate::scope::Scope;
use crate::value::text_of;

/// The label at the end of every stream's ARN. On AWS it is the time at which the stream was created.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

pub(crate) struct PhysicalNames<'a> {
    pub(crate) scope: &'a Scope,
}

impl ResourceNames for PhysicalNames<'_> {
    fn reference(&self, id: &str, at: &str, depth: usize) -> Result<String, TemplateError> {
        let scope = self.scope;
        if let Some(reference) = scope.generated.get(id) {
            return Ok(reference.clone());
        }
        if let Some((api, "Stage")) = id.split_once('.') {
            return match scope.property(api, "StageName") {
                Some(stage) => self.evaluator().text(stage, at, depth + 1),
                None => Ok("default".to_owned()),
            };
        }
        if !scope.resources.contains_key(id) {
            return Err(invalid(at, format!("the template has no parameter or resource `{id}`")));
        }
        match scope.resource_type(id) {
            "AWS::SecretsManager::Secret" => self.secret_arn(id, depth),
            "AWS::SNS::Topic" => Ok(scope.arn("sns", &self.name(id, depth)?)),
            "AWS::SQS::Queue" => {
                let name = self.name(id, depth)?;
                Ok(format!("https://sqs.{}.amazonaws.com/{}/{name}", scope.stack.region, scope.stack.account))
            }
            "AWS::Serverless::WebSocketApi" => Ok(self.api_id(id)),
            _ => self.name(id, depth),
        }
    }

    /// A resource of a type that this crate does not know has every attribute.
    fn attribute(&self, id: &str, attribute: &str, at: &str, depth: usize) -> Result<String, TemplateError> {
        let scope = self.scope;
        if !scope.resources.contains_key(id) {
            return match scope.generated.get(id) {
                Some(role) if attribute == "Arn" => Ok(format!("arn:aws:iam::{}:role/{role}", scope.stack.account)),
                Some(reference) => Ok(reference.clone()),
                None => Err(invalid(at, format!("the template has no resource `{id}`"))),
            };
        }
        let kind = scope.resource_type(id);
        let name = self.name(id, depth)?;
        match (kind, attribute) {
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
                Ok(scope.arn("lambda", &format!("function:{name}")))
            }
            ("AWS::DynamoDB::Table", "Arn") => Ok(scope.arn("dynamodb", &format!("table/{name}"))),
            ("AWS::DynamoDB::Table", "StreamArn") => match scope.property(id, "StreamSpecification") {
                Some(_) => Ok(self.stream_arn(&name)),
                None => Err(invalid(at, format!("`{id}` has no stream; give it a `StreamSpecification`"))),
            },
            ("AWS::DynamoDB::Table", "TableId") => Ok(hex_id(&format!("{}/{id}", scope.stack.stack_name), 32)),
            ("AWS::Serverless::WebSocketApi", "ApiId") => Ok(self.api_id(id)),
            ("AWS::Serverless::WebSocketApi", "ApiEndpoint") => {
                Ok(format!("wss://{}.execute-api.{}.amazonaws.com", self.api_id(id), scope.stack.region))
            }
            ("AWS::SecretsManager::Secret", "Id") => self.secret_arn(id, depth),
            ("AWS::S3::Bucket", "Arn") => Ok(format!("arn:aws:s3:::{name}")),
            ("AWS::S3::Bucket", "DomainName") => Ok(format!("{name}.s3.amazonaws.com")),
            ("AWS::S3::Bucket", "RegionalDomainName") => Ok(format!("{name}.s3.{}.amazonaws.com", scope.stack.region)),
            ("AWS::SQS::Queue", "Arn") => Ok(scope.arn("sqs", &name)),
            ("AWS::SQS::Queue", "QueueName") => Ok(name),
            ("AWS::SQS::Queue", "QueueUrl") => self.reference(id, at, depth),
            ("AWS::SNS::Topic", "TopicArn") => Ok(scope.arn("sns", &name)),
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
            ) => Err(invalid(at, format!("`{id}` ({kind}) has no attribute `{attribute}`"))),
            (_, "Arn") => {
                let service = kind.split("::").nth(1).unwrap_or_default().to_lowercase();
                Ok(scope.arn(&service, &name))
            }
            _ => Ok(format!("{name}-{attribute}")),
        }
    }
}

impl PhysicalNames<'_> {
    pub(crate) fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(self.scope, self)
    }

    /// A resource's physical name: the property that names it, or else `<stack>-<logical id>`.
    pub(crate) fn name(&self, id: &str, depth: usize) -> Result<String, TemplateError> {
        let scope = self.scope;
        let naming = match scope.resource_type(id) {
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::IAM::Role" => "RoleName",
            _ => "Name",
        };
        if let Some(given) = scope.property(id, naming) {
            let at = format!("Resources.{id}.Properties.{naming}");
            let given = self.evaluator().value(given, &at, depth + 1)?;
            if let Some(text) = given.as_ref().and_then(text_of) {
                return Ok(text);
            }
        }
        let name = format!("{}-{id}", scope.stack.stack_name);
        Ok(if scope.resource_type(id) == "AWS::S3::Bucket" { name.to_lowercase() } else { name })
    }

    pub(crate) fn stream_arn(&self, table: &str) -> String {
        self.scope.arn("dynamodb", &format!("table/{table}/stream/{STREAM_LABEL}"))
    }

    pub(crate) fn secret_arn(&self, id: &str, depth: usize) -> Result<String, TemplateError> {
        let name = self.name(id, depth)?;
        Ok(self.scope.arn("secretsmanager", &format!("secret:{name}-{}", alphanumeric_id(&name, 6))))
    }

    pub(crate) fn api_id(&self, id: &str) -> String {
        alphanumeric_id(&format!("{}/{id}", self.scope.stack.stack_name), 10)
    }
}
