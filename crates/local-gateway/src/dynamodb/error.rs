//! Errors as AWS's JSON protocols write them, and why a database cannot be opened.

use std::path::PathBuf;

use serde_json::{Value, json};

/// An answer other than 200.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The body, with `__type` and, mostly, `message`.
    pub body: Value,
}

impl ApiError {
    /// An error with a `__type` such as `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`.
    pub fn new(status: u16, kind: &str, message: &str) -> ApiError {
        ApiError { status, body: json!({ "__type": kind, "message": message }) }
    }

    /// The answer to an operation that there is none of.
    pub fn unknown_operation() -> ApiError {
        let kind = "com.amazon.coral.service#UnknownOperationException";
        ApiError { status: 400, body: json!({ "__type": kind }) }
    }

    /// The last part of its `__type`, for example `ConditionalCheckFailedException`.
    pub fn code(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or_default();
        kind.rsplit('#').next().unwrap_or(kind)
    }

    pub(super) fn of(error: &dynoxide::DynoxideError) -> ApiError {
        let body = serde_json::from_str(&error.to_json()).unwrap_or_else(|_| json!({ "__type": error.error_type() }));
        ApiError { status: error.status_code(), body }
    }

    /// A request that dynoxide's types refuse. Some of its messages begin with a word for its own server's use.
    pub(super) fn of_request(error: &serde_json::Error) -> ApiError {
        let message = error.to_string();
        for (marker, kind) in [
            ("VALIDATION:", "com.amazon.coral.validate#ValidationException"),
            ("VALIDATION_REQUEST:", "com.amazon.coral.validate#ValidationException"),
            ("SERIALIZATION:", "com.amazon.coral.service#SerializationException"),
        ] {
            if let Some(message) = message.strip_prefix(marker) {
                return ApiError::new(400, kind, message);
            }
        }
        ApiError::new(400, "com.amazon.coral.validate#ValidationException", &message)
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> ApiError {
        ApiError::new(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", &error.to_string())
    }
}

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The folder for it cannot be made.
    #[error("the folder {} for the database cannot be made: {_1}", _0.display())]
    Folder(PathBuf, std::io::Error),
    /// Another gateway has it open.
    #[error("the database in {} is in use by another gateway; end that one, or choose another folder", _0.display())]
    InUse(PathBuf),
    /// SQLite's file name has to be text.
    #[error("the path {} of the database is not valid Unicode", _0.display())]
    NotUnicode(PathBuf),
    /// The file is damaged, locked, or from a newer version.
    #[error("the database {} cannot be used: {_1}", _0.display())]
    Unusable(PathBuf, String),
    /// A table of the template cannot be made.
    #[error("the table {table} cannot be made: {problem}")]
    Table {
        /// Its logical id.
        table: String,
        /// Why not.
        problem: String,
    },
    /// The kept table and the template's have different keys, indexes or streams.
    #[error("the database {} holds the table {table} with {what} other than the template's; delete it to start anew", file.display())]
    Changed {
        /// The database's file.
        file: PathBuf,
        /// The table's name.
        table: String,
        /// What differs, with its article.
        what: &'static str,
    },
}
