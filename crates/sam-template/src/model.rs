//! The resources of a template as plain values, with every intrinsic function resolved.
//!
//! A resource is identified by its *logical id*, its name in the template; functions see its physical name and ARN.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// An `AWS::Serverless::Function`.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// For example `SendMessageFunction`.
    pub logical_id: String,
    /// `FunctionName`, or else `<stack>-<logical id>`.
    pub name: String,
    /// Built from [`Function::name`].
    pub arn: String,
    /// The folder of the code as written in the template (relative to it), for example `crates/send-message`.
    pub code_uri: String,
    /// `Handler`; `bootstrap` if the template gives none.
    pub handler: String,
    /// `Runtime`, for example `provided.al2023`; empty if the template gives none.
    pub runtime: String,
    /// `Timeout` of an invocation. Lambda's default is 3 seconds, its maximum 900.
    pub timeout: Duration,
    /// `MemorySize` in megabytes. Lambda's default is 128.
    pub memory_mb: u32,
    /// `Environment.Variables`
    pub environment: BTreeMap<String, String>,
    /// `Policies`, in the order of the template.
    pub policies: Vec<Policy>,
    /// The events of type `DynamoDB`; each one reads a table's stream.
    pub streams: Vec<StreamEvent>,
    /// `ReservedConcurrentExecutions`: how many invocations may run concurrently; `None` is unlimited.
    pub reserved_concurrency: Option<u32>,
}

impl Function {
    /// The last part of `CodeUri`, which names the crate and its binary, for example `send-message`.
    pub fn binary(&self) -> &str {
        self.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or(&self.code_uri)
    }
}

/// One entry of a function's `Policies`.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// The statements of a policy document in the template.
    Statements(Vec<Statement>),
    /// A SAM policy template, for example `DynamoDBReadPolicy`, with its parameters.
    SamTemplate { name: String, parameters: Value },
    /// The name or ARN of a managed policy.
    Managed(String),
}

/// One statement of a policy document. A single string in the template becomes a list of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// `Sid`
    pub sid: Option<String>,
    /// `Effect`: true for `Allow`, false for `Deny`.
    pub allow: bool,
    /// `Action`, for example `dynamodb:GetItem`; may contain `*` and `?`.
    pub actions: Vec<String>,
    /// `Resource`: ARNs, which may contain `*` and `?`.
    pub resources: Vec<String>,
    /// `Condition`, as written; `Null` if there is none.
    pub condition: Value,
}

/// An event of type `DynamoDB` of a function: Lambda's event source mapping over a table's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// Its key in the function's `Events`.
    pub name: String,
    pub stream_arn: String,
    /// The logical id of the table that the stream belongs to.
    pub table: String,
    /// `StartingPosition`
    pub starting_position: StartingPosition,
    /// `BatchSize`: records per invocation, 1 to 10,000; Lambda's default is 100.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`: how long Lambda gathers records before it invokes the function.
    pub batching_window: Duration,
    /// Whether `FunctionResponseTypes` contains `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
    /// `BisectBatchOnFunctionError`
    pub bisect_on_error: bool,
    /// `MaximumRetryAttempts`; `None` is unlimited, Lambda's default (-1).
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` is unlimited, Lambda's default (-1).
    pub maximum_record_age: Option<Duration>,
    /// `FilterCriteria.Filters`: event patterns, at least one of which must match; empty matches everything.
    pub filters: Vec<Value>,
    /// `DestinationConfig.OnFailure`
    pub on_failure: Option<FailureDestination>,
    /// `ParallelizationFactor`, 1 to 10.
    pub parallelization_factor: u32,
    /// `Enabled`
    pub enabled: bool,
}

/// Where a new stream reader starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// At the oldest record in the stream.
    TrimHorizon,
    /// At records written from now on. Lambda may miss some while the mapping is being created.
    Latest,
}

/// Where a stream reader sends the records that it gives up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureDestination {
    /// `Destination`: an ARN.
    pub arn: String,
    /// The name of the bucket, queue or topic: the last part of its ARN.
    pub name: String,
    /// The service it belongs to; only a bucket keeps the records themselves.
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
    /// For example `MessagesTable`.
    pub logical_id: String,
    /// `TableName`, or else `<stack>-<logical id>`.
    pub name: String,
    /// Built from [`Table::name`].
    pub arn: String,
    /// `AttributeDefinitions`: attribute → `S`, `N` or `B`.
    pub attributes: BTreeMap<String, String>,
    /// `KeySchema`
    pub key: Key,
    /// `GlobalSecondaryIndexes`
    pub indexes: Vec<Index>,
    /// `StreamSpecification`, if the table has a stream.
    pub stream: Option<Stream>,
    /// `TimeToLiveSpecification.AttributeName`, if enabled.
    pub ttl_attribute: Option<String>,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The `HASH` attribute
    pub partition: String,
    /// The `RANGE` attribute, if any
    pub sort: Option<String>,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// `IndexName`
    pub name: String,
    /// `KeySchema`
    pub key: Key,
    /// `Projection.ProjectionType`: `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// `Projection.NonKeyAttributes`, with `INCLUDE`.
    pub included: Vec<String>,
}

/// A table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Ends in a fixed label; on AWS, the label is the time at which the stream was created.
    pub arn: String,
    /// `StreamViewType`: `NEW_AND_OLD_IMAGES`, `NEW_IMAGE`, `OLD_IMAGE` or `KEYS_ONLY`.
    pub view_type: String,
}

/// An `AWS::Serverless::WebSocketApi`.
#[derive(Debug, Clone, PartialEq)]
pub struct WebSocketApi {
    /// For example `ChatApi`.
    pub logical_id: String,
    /// The value of `Ref` and of `requestContext.apiId`: ten letters and digits, fixed per stack and logical id.
    pub id: String,
    /// `StageName`; SAM's default is `default`.
    pub stage: String,
    /// `RouteSelectionExpression`, for example `$request.body.action`.
    pub route_selection_expression: String,
    /// `Auth` of type `CUSTOM`.
    pub authorizer: Option<Authorizer>,
    /// By route key.
    pub routes: BTreeMap<String, Route>,
}

impl WebSocketApi {
    /// The ARN that a Lambda authorizer receives for `$connect` and that its policy is matched against:
    /// `arn:aws:execute-api:<region>:<account>:<api id>/<stage>/<route key>`.
    pub fn method_arn(&self, region: &str, account: &str, route_key: &str) -> String {
        format!("arn:aws:execute-api:{region}:{account}:{}/{}/{route_key}", self.id, self.stage)
    }
}

/// The Lambda authorizer of `$connect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// `Name`, or else `<api>ConnectAuthorizer`, as SAM names it.
    pub name: String,
    /// The logical id of its function.
    pub function: String,
    /// `IdentitySource`: a handshake that lacks one of these gets 401, and the function does not run.
    pub identity_sources: Vec<String>,
}

/// One route of a WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `$connect`, `$disconnect`, `$default` or letters and digits.
    pub key: String,
    /// The logical id of its function.
    pub function: String,
    /// Whether the function's body is sent to the client: only if the route selects the response `$default`, and an
    /// `AWS::ApiGatewayV2::RouteResponse` with that key exists for it.
    pub response: bool,
    /// `IntegrationTimeout`; API Gateway's default and maximum is 29 seconds.
    pub integration_timeout: Duration,
}

/// An `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// For example `TokenSecret`.
    pub logical_id: String,
    /// `Name`, or else `<stack>-<logical id>`.
    pub name: String,
    /// The value of `Ref`. It ends in six letters and digits, which are random on AWS and fixed here.
    pub arn: String,
    /// `SecretString`
    pub value: Option<String>,
    /// `GenerateSecretString`
    pub generate: Option<GenerateSecretString>,
}

/// How Secrets Manager generates a secret. The defaults are Secrets Manager's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateSecretString {
    /// `PasswordLength`, 1 to 4,096; 32 by default.
    pub length: usize,
    /// `ExcludeCharacters`
    pub exclude_characters: String,
    /// `ExcludeLowercase`
    pub exclude_lowercase: bool,
    /// `ExcludeUppercase`
    pub exclude_uppercase: bool,
    /// `ExcludeNumbers`
    pub exclude_numbers: bool,
    /// `ExcludePunctuation`
    pub exclude_punctuation: bool,
    /// `IncludeSpace`
    pub include_space: bool,
    /// `RequireEachIncludedType`; true by default.
    pub require_each_included_type: bool,
    /// `SecretStringTemplate` (a JSON object) and `GenerateStringKey` (the key to put the password under).
    pub json: Option<(String, String)>,
}

/// One entry of `Outputs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// `Description`; may be empty.
    pub description: String,
    pub value: String,
}
