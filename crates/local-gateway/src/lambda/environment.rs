//! The environment of a function's process: Lambda's own variables, the template's, and the gateway's endpoints. The
//! environment of the laptop is not passed on, least of all its AWS credentials.

use std::collections::BTreeMap;

use sam_template::{Function, StackContext};

/// The variable from which the SDK reads the endpoint of API Gateway's management API (its service id is
/// `ApiGatewayManagementApi`).
pub const MANAGEMENT_ENDPOINT: &str = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI";

/// The endpoints that replace AWS.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// DynamoDB and Secrets Manager.
    pub endpoint_url: String,
    /// `@connections`, with the stage.
    pub management_url: String,
    /// Variables for all functions; they override the template's.
    pub extra: BTreeMap<String, String>,
}

/// The credentials of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`, which identifies the function.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: String,
}

/// The variables of a function that are the same for all its processes.
pub fn of_function(
    function: &Function,
    stack: &StackContext,
    endpoints: &Endpoints,
    credentials: &Credentials,
) -> BTreeMap<String, String> {
    let runtime = if function.runtime.is_empty() { "provided.al2023" } else { &function.runtime };
    let mut variables: BTreeMap<String, String> = [
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{runtime}")),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_REGION", stack.region.clone()),
        ("AWS_DEFAULT_REGION", stack.region.clone()),
        ("_HANDLER", function.handler.clone()),
        ("LANG", "en_US.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("TZ", ":UTC".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    variables.extend(function.environment.clone());
    variables.extend(endpoints.extra.clone());

    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    set("AWS_ACCESS_KEY_ID", &credentials.access_key_id);
    set("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key);
    set("AWS_SESSION_TOKEN", &credentials.session_token);
    set("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.endpoint_url);
    set("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", &endpoints.endpoint_url);
    set("AWS_ENDPOINT_URL_SECRETS_MANAGER", &endpoints.endpoint_url);
    if function.environment.contains_key(MANAGEMENT_ENDPOINT) {
        set(MANAGEMENT_ENDPOINT, &endpoints.management_url);
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::tests::function;

    fn endpoints() -> Endpoints {
        Endpoints {
            endpoint_url: "http://127.0.0.1:2".into(),
            management_url: "http://127.0.0.1:1/dev".into(),
            extra: BTreeMap::new(),
        }
    }

    fn credentials() -> Credentials {
        Credentials {
            access_key_id: "ASIAF".into(),
            secret_access_key: "secret".into(),
            session_token: "session".into(),
        }
    }

    #[test]
    fn management_endpoint_is_replaced() {
        let mut function = function("F");
        function
            .environment
            .insert(MANAGEMENT_ENDPOINT.into(), "https://abc.execute-api.us-east-1.amazonaws.com/dev".into());
        let variables = of_function(&function, &StackContext::local("s"), &endpoints(), &credentials());
        assert_eq!(variables[MANAGEMENT_ENDPOINT], "http://127.0.0.1:1/dev");
    }

    #[test]
    fn management_endpoint_is_not_added() {
        let variables = of_function(&function("F"), &StackContext::local("s"), &endpoints(), &credentials());
        assert!(!variables.contains_key(MANAGEMENT_ENDPOINT));
        assert_eq!(variables["AWS_ACCESS_KEY_ID"], "ASIAF");
        assert_eq!(variables["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:2");
    }
}
