//! Why something was not done, with two faces: the caller's fault, or ours.

use std::error::Error as StdError;
use std::fmt;

use protocol::wire::Refusal;

/// Why a request was not done.
#[derive(Debug)]
pub enum Error {
    /// By the caller's own doing: told to the caller, with a code.
    Refused(Box<Refusal>),
    /// Ours: logged once with its causes, and told to nobody.
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

/// Lets `?` turn the errors of a door into a failure.
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

/// An error and its causes in one line. Only messages: an error's debug form could hold a row.
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
