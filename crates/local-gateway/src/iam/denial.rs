//! How AWS says that something is not allowed, and what the log says to who can change that.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::json;

use super::need::{Need, Needs};
use crate::connections::answer;
use crate::dynamodb::ApiError;

/// What somebody may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// Who, as an ARN.
    principal: String,
    action: String,
    resource: String,
    /// By a `Deny`.
    explicitly: bool,
}

impl Denial {
    pub(super) fn new(principal: String, need: &Need, explicitly: bool) -> Denial {
        Denial { principal, action: need.action.clone(), resource: need.resource.clone(), explicitly }
    }

    /// The sentence.
    fn message(&self) -> String {
        let Denial { principal, action, resource, explicitly } = self;
        let because = if *explicitly {
            "with an explicit deny in an identity-based policy".to_owned()
        } else {
            format!("because no identity-based policy allows the {action} action")
        };
        format!("User: {principal} is not authorized to perform: {action} on resource: {resource} {because}")
    }

    /// As DynamoDB and Secrets Manager answer.
    pub(crate) fn api_error(&self) -> ApiError {
        let kind = "com.amazon.coral.service#AccessDeniedException";
        ApiError { status: 400, body: json!({ "__type": kind, "Message": self.message() }) }
    }

    /// As the management API answers.
    pub(crate) fn response(&self) -> Response<Body> {
        let body = json!({ "Message": self.message() });
        answer(StatusCode::FORBIDDEN, Some("AccessDeniedException"), Some(body))
    }

    /// What who wrote the template has to know: the statement that is missing, ready to be pasted. It is the same for every
    /// resource that this statement would allow.
    pub(super) fn advice(&self, function: &str, needs: &Needs) -> String {
        let (action, resource) = (&self.action, needs.written(&self.resource));
        if self.explicitly {
            return format!("{function} was denied {action} on {resource} by a Deny among its statements");
        }
        let statement = format!("- {{Effect: Allow, Action: {action}, Resource: {resource}}}");
        format!("{function} was denied {action}; its statements lack: {statement}")
    }
}
