//! A denied request: the message that AWS returns, and the advice in the log.

use serde_json::json;

use super::permission::{Permission, Permissions};
use crate::dynamodb::ApiError;

/// A request that the policies do not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// The ARN of the caller.
    principal: String,
    action: String,
    resource: String,
    /// Whether a `Deny` statement matched.
    explicitly: bool,
}

impl Denial {
    pub(super) fn new(principal: String, permission: &Permission, explicitly: bool) -> Denial {
        Denial { principal, action: permission.action.clone(), resource: permission.resource.clone(), explicitly }
    }

    /// The message that AWS returns.
    pub(crate) fn message(&self) -> String {
        let Denial { principal, action, resource, explicitly } = self;
        let because = if *explicitly {
            "with an explicit deny in an identity-based policy".to_owned()
        } else {
            format!("because no identity-based policy allows the {action} action")
        };
        format!("User: {principal} is not authorized to perform: {action} on resource: {resource} {because}")
    }

    /// The error of DynamoDB and Secrets Manager.
    pub(crate) fn api_error(&self) -> ApiError {
        let kind = "com.amazon.coral.service#AccessDeniedException";
        ApiError { status: 400, body: json!({ "__type": kind, "Message": self.message() }) }
    }

    /// Advice for the author of the template: the missing statement, ready to be pasted. It is the same for every
    /// resource that this statement would allow.
    pub(super) fn advice(&self, function: &str, permissions: &Permissions) -> String {
        let action = &self.action;
        let resource = permissions.as_in_template(&self.resource);
        if self.explicitly {
            return format!("{function} was denied {action} on {resource} by a Deny statement");
        }
        let statement = format!("- {{Effect: Allow, Action: {action}, Resource: {resource}}}");
        format!("{function} was denied {action}; add to its policies: {statement}")
    }
}
