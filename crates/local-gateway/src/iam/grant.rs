//! What a statement allows.

use std::fmt;

/// One action on one resource that a function's own statements allow, as in the template once it is resolved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The logical id of the function.
    pub function: String,
    /// For example `dynamodb:PutItem`; may contain `*` and `?`.
    pub action: String,
    /// An ARN; may contain `*` and `?`.
    pub resource: String,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.function, self.action, self.resource)
    }
}
