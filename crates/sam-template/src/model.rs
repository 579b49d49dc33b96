//! What a template describes, once every intrinsic function is resolved: values that the gateway can act on without
//! knowing CloudFormation.
//!
//! A resource is known by its *logical id* (its name in the template) inside the gateway; its physical name and ARN are
//! what functions see.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// An `AWS::Serverless::Function`.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name in the template, for example `SendMessageFunction`.
    pub logical_id: String,
    /// Its physical name: `FunctionName`, else `<stack>-<logical id>`.
    pub name: String,
    /// Its ARN, built of [`Function::name`].
    pub arn: String,
    /// Where its code is, as written in the template (relative to it), for example `crates/send-message`.
    pub code_uri: String,
    /// `Handler`; `bootstrap` where the template names none.
    pub handler: String,
    /// `Runtime`, for example `provided.al2023`; empty where the template names none.
    pub runtime: String,
    /// `Timeout`: how long an invocation may take. Lambda's own default is 3 seconds, its maximum 900.
    pub timeout: Duration,
    /// `MemorySize` in megabytes. Lambda's own default is 128.
    pub memory_mb: u32,
    /// `Environment.Variables`.
    pub environment: BTreeMap<String, String>,
    /// `Policies`, in the order of the template.
    pub policies: Vec<Policy>,
    /// The events of type `DynamoDB`: each one is a reader of a table's stream.
    pub streams: Vec<StreamEvent>,
    /// `ReservedConcurrentExecutions`: how many invocations may run at once; `None` is not limited.
    pub reserved_concurrency: Option<u32>,
}

impl Function {
    /// The last part of `CodeUri`: the name of the crate and of its binary, for example `send-message`.
    pub fn binary(&self) -> &str {
        self.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or(&self.code_uri)
    }
}

/// One entry of a function's `Policies`.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// A policy document's statements, written in the template.
    Statements(Vec<Statement>),
    /// A SAM policy template, for example `DynamoDBReadPolicy`, with its parameters.
    SamTemplate {
        /// The policy template's name.
        name: String,
        /// Its parameters, resolved.
        parameters: Value,
    },
    /// The name or ARN of a managed policy.
    Managed(String),
}

/// One statement of a policy document. Lists are kept as lists even where the template wrote one string.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// `Sid`, where given.
    pub sid: Option<String>,
    /// `Effect`: true is `Allow`, false is `Deny`.
    pub allow: bool,
    /// `Action`, for example `dynamodb:GetItem`; may hold `*` and `?`.
    pub actions: Vec<String>,
    /// `Resource`: ARNs, which may hold `*` and `?`.
    pub resources: Vec<String>,
    /// `Condition`, as written; `Null` where there is none.
    pub condition: Value,
}

/// An event of type `DynamoDB` of a function: Lambda's event source mapping over a table's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// Its name under the function's `Events`.
    pub name: String,
    /// The ARN of the stream that it reads.
    pub stream_arn: String,
    /// The logical id of the table whose stream it is.
    pub table: String,
    /// `StartingPosition`.
    pub starting_position: StartingPosition,
    /// `BatchSize`: records per invocation, 1 to 10,000; Lambda's default is 100.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`: how long Lambda gathers records before it invokes.
    pub batching_window: Duration,
    /// `FunctionResponseTypes` holds `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
    /// `BisectBatchOnFunctionError`.
    pub bisect_on_error: bool,
    /// `MaximumRetryAttempts`; `None` is without end, Lambda's default (-1).
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` is without end, Lambda's default (-1).
    pub maximum_record_age: Option<Duration>,
    /// `FilterCriteria.Filters`: event patterns, of which one must match; empty lets everything through.
    pub filters: Vec<Value>,
    /// `DestinationConfig.OnFailure`.
    pub on_failure: Option<FailureDestination>,
    /// `ParallelizationFactor`, 1 to 10.
    pub parallelization_factor: u32,
    /// `Enabled`.
    pub enabled: bool,
}

/// Where a stream reader begins when it is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// At the oldest record that the stream still has.
    TrimHorizon,
    /// At records written from now on. Lambda may miss some while the mapping is being made.
    Latest,
}

/// Where what a stream reader gives up goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureDestination {
    /// `Destination`: an ARN.
    pub arn: String,
    /// The name of the bucket, queue or topic: the last part of its ARN.
    pub name: String,
    /// Which service it belongs to; only a bucket keeps the records themselves.
    pub kind: DestinationKind,
}

/// The services that Lambda accepts as a stream reader's failure destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationKind {
    /// An S3 bucket: keeps the records.
    Bucket,
    /// An SQS queue: metadata only.
    Queue,
    /// An SNS topic: metadata only.
    Topic,
}

/// An `AWS::DynamoDB::Table`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in the template, for example `MessagesTable`.
    pub logical_id: String,
    /// `TableName`, else `<stack>-<logical id>`.
    pub name: String,
    /// Its ARN, built of [`Table::name`].
    pub arn: String,
    /// `AttributeDefinitions`: attribute → `S`, `N` or `B`.
    pub attributes: BTreeMap<String, String>,
    /// `KeySchema`.
    pub key: Key,
    /// `GlobalSecondaryIndexes`.
    pub indexes: Vec<Index>,
    /// `StreamSpecification`, where the table has a stream.
    pub stream: Option<Stream>,
    /// `TimeToLiveSpecification.AttributeName`, where it is enabled.
    pub ttl_attribute: Option<String>,
}

/// A table's or an index's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The `HASH` attribute.
    pub partition: String,
    /// The `RANGE` attribute, where there is one.
    pub sort: Option<String>,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// `IndexName`.
    pub name: String,
    /// `KeySchema`.
    pub key: Key,
    /// `Projection.ProjectionType`: `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// `Projection.NonKeyAttributes`, with `INCLUDE`.
    pub included: Vec<String>,
}

/// A table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its ARN as functions see it; it ends in a label that is always the same here, on AWS the time of its making.
    pub arn: String,
    /// `StreamViewType`: `NEW_AND_OLD_IMAGES`, `NEW_IMAGE`, `OLD_IMAGE` or `KEYS_ONLY`.
    pub view_type: String,
}

/// An `AWS::Serverless::WebSocketApi`.
#[derive(Debug, Clone, PartialEq)]
pub struct WebSocketApi {
    /// Its name in the template, for example `ChatApi`.
    pub logical_id: String,
    /// What `Ref` and `requestContext.apiId` say: ten letters and digits, always the same for one stack and logical id.
    pub id: String,
    /// `StageName`; SAM's default is `default`.
    pub stage: String,
    /// `RouteSelectionExpression`, for example `$request.body.action`.
    pub route_selection_expression: String,
    /// `Auth` of type `CUSTOM`.
    pub authorizer: Option<Authorizer>,
    /// The routes by their keys.
    pub routes: BTreeMap<String, Route>,
}

impl WebSocketApi {
    /// The ARN that a Lambda authorizer is given for `$connect` and that its policy is compared with:
    /// `arn:aws:execute-api:<region>:<account>:<api id>/<stage>/<route key>`.
    pub fn method_arn(&self, region: &str, account: &str, route_key: &str) -> String {
        format!("arn:aws:execute-api:{region}:{account}:{}/{}/{route_key}", self.id, self.stage)
    }
}

/// The Lambda authorizer of `$connect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// `Name`, else `<api>ConnectAuthorizer` as SAM names it.
    pub name: String,
    /// The logical id of its function.
    pub function: String,
    /// `IdentitySource`: where one of these is missing in a handshake, the answer is 401 and the function does not run.
    pub identity_sources: Vec<String>,
}

/// One route of a WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its key: `$connect`, `$disconnect`, `$default` or letters and digits.
    pub key: String,
    /// The logical id of its function.
    pub function: String,
    /// Whether the function's body is sent to the caller: the route selects the response `$default`, and an
    /// `AWS::ApiGatewayV2::RouteResponse` with that key exists for it.
    pub response: bool,
    /// `IntegrationTimeout`; API Gateway's default and maximum is 29 seconds.
    pub integration_timeout: Duration,
}

/// An `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its name in the template, for example `TokenSecret`.
    pub logical_id: String,
    /// `Name`, else `<stack>-<logical id>`.
    pub name: String,
    /// What `Ref` says: its ARN, which ends in six letters and digits that are always the same here.
    pub arn: String,
    /// `SecretString`, where the template gives one.
    pub value: Option<String>,
    /// `GenerateSecretString`, where the template asks for one.
    pub generate: Option<GenerateSecretString>,
}

/// How Secrets Manager makes up a secret. The defaults are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateSecretString {
    /// `PasswordLength`, 1 to 4,096; 32 by default.
    pub length: usize,
    /// `ExcludeCharacters`.
    pub exclude_characters: String,
    /// `ExcludeLowercase`.
    pub exclude_lowercase: bool,
    /// `ExcludeUppercase`.
    pub exclude_uppercase: bool,
    /// `ExcludeNumbers`.
    pub exclude_numbers: bool,
    /// `ExcludePunctuation`.
    pub exclude_punctuation: bool,
    /// `IncludeSpace`.
    pub include_space: bool,
    /// `RequireEachIncludedType`; true by default.
    pub require_each_included_type: bool,
    /// `SecretStringTemplate` (a JSON object) and `GenerateStringKey` (the key to put the password under).
    pub json: Option<(String, String)>,
}

/// One entry of `Outputs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// `Description`, or nothing.
    pub description: String,
    /// `Value`, resolved.
    pub value: String,
}
