//! Errors in AWS's JSON protocols, and why a database cannot be opened.

use std::path::PathBuf;

use serde_json::{Value, json};

/// An error response.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The body, with `__type` and usually `message`.
    pub body: Value,
}

impl ApiError {
    /// An error with a `__type` such as `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`.
    pub fn new(status: u16, kind: &str, message: &str) -> ApiError {
        ApiError { status, body: json!({ "__type": kind, "message": message }) }
    }

    /// The response to an unknown operation.
    pub fn unknown_operation() -> ApiError {
        let kind = "com.amazon.coral.service#UnknownOperationException";
        ApiError { status: 400, body: json!({ "__type": kind }) }
    }

    /// The last part of `__type`, for example `ConditionalCheckFailedException`.
    pub fn code(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or_default();
        kind.rsplit('#').next().unwrap_or(kind)
    }

    pub(super) fn of(error: &dynoxide::DynoxideError) -> ApiError {
        let body = serde_json::from_str(&error.to_json()).unwrap_or_else(|_| json!({ "__type": error.error_type() }));
        ApiError { status: error.status_code(), body }
    }

    /// A request that dynoxide rejects. Some of its messages start with a marker for its own server.
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
    /// The folder cannot be created.
    #[error("failed to create the folder {} for the database: {_1}", _0.display())]
    Folder(PathBuf, std::io::Error),
    /// Another gateway has the database open.
    #[error("the database in {} is in use by another gateway; stop it or choose another folder", _0.display())]
    InUse(PathBuf),
    /// SQLite needs a Unicode path.
    #[error("the path {} of the database is not valid Unicode", _0.display())]
    NotUnicode(PathBuf),
    /// The file is damaged, locked, or from a newer version.
    #[error("failed to open the database {}: {_1}", _0.display())]
    Unusable(PathBuf, String),
    /// A table of the template cannot be created.
    #[error("failed to create the table {table}: {problem}")]
    Table {
        /// The logical id of the table.
        table: String,
        /// The cause.
        problem: String,
    },
    /// A table in the database has other keys, indexes or streams than the template.
    #[error(
        "the table {table} in the database {} has {what} other than the template's; delete the file to start over",
        file.display()
    )]
    Changed {
        /// The file of the database.
        file: PathBuf,
        /// The name of the table.
        table: String,
        /// What differs, with an article.
        what: &'static str,
    },
}
