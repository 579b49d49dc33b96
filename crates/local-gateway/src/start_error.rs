//! Why a gateway does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::dynamodb::DatabaseError;
use crate::faults::PlanError;
use crate::lambda::MissingBinary;
use crate::secrets::SecretsError;
use crate::socket::InvalidExpression;
use crate::streams::StreamsError;
use sam_template::TemplateError;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template has no API that clients could connect to.
    #[error("{} has no AWS::Serverless::WebSocketApi", _0.display())]
    NoApi(PathBuf),
    /// The API's route selection expression is not supported.
    #[error(transparent)]
    Selection(#[from] InvalidExpression),
    /// The binary of a function was not built.
    #[error(transparent)]
    MissingBinary(#[from] MissingBinary),
    /// The address can be reached from other machines, and the gateway has no access control.
    #[error("{0} is not a loopback address; listen on 127.0.0.1, since the gateway has no access control")]
    NotLoopback(SocketAddr),
    /// Another program listens on the address.
    #[error("{0} is already in use; stop the other program or choose another port")]
    InUse(SocketAddr),
    /// Listening fails for another reason.
    #[error("failed to listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The secrets cannot be read or generated.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The readers of the streams cannot start.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// The fault plan is rejected.
    #[error(transparent)]
    Faults(#[from] PlanError),
    /// The functions' log cannot be written.
    #[error("failed to open the functions' log: {0}")]
    Log(std::io::Error),
    /// The operating system denies something, for example a free port.
    #[error("failed to start the gateway: {0}")]
    Machine(std::io::Error),
}
