//! One module per outside system: DynamoDB, token issuers, DeepL, API Gateway's management API, Secrets Manager.

pub mod auth;
pub mod deepl;
pub mod delivery_policy;
pub mod dynamodb;
pub mod push;
pub mod secrets;
