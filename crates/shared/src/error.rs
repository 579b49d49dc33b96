//! Why a request failed: through the caller's fault or through ours.

use std::error::Error as StdError;
use std::fmt;

use protocol::wire::Refusal;

#[derive(Debug)]
pub enum Error {
    /// The caller's fault: answered with a code.
    Refused(Box<Refusal>),
    /// Ours: logged once with its causes; the caller only learns that it happened.
    Failed(Box<dyn StdError + Send + Sync>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal.message),
            Self::Failed(error) => f.write_str(&chain(&**error)),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Lets `?` turn the errors of an adapter into [`Error::Failed`].
macro_rules! fails {
    ($($error:ty),*) => {$(
        impl From<$error> for $crate::error::Error {
            fn from(error: $error) -> Self {
                Self::Failed(Box::new(error))
            }
        }
    )*};
}
pub(crate) use fails;
fails!(serde_json::Error);

/// An error and its causes in one line. Messages only: the debug form of an error could contain a row.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}
