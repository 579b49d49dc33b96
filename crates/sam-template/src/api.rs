//! `AWS::Serverless::WebSocketApi`, as SAM's translator (1.109 and later) expands it, and `AWS::ApiGatewayV2::RouteResponse`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::intrinsics::{Scope, invalid};
use crate::properties::Properties;
use crate::{Authorizer, Route, TemplateError, WebSocketApi, names};

/// The logical ids that SAM makes for an API's routes, so that other resources can refer to them, with what `Ref` says.
pub(crate) fn generated(id: &str, resource: &Value) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut generated = BTreeMap::new();
    let mut add = |id: String| generated.insert(id.clone(), names::digits(&id, 7)).is_some();
    let properties = &resource["Properties"];
    for (key, _) in properties["Routes"].as_object().into_iter().flatten() {
        let part = names::capitalized(key);
        // Two keys that differ only in the size of their letters become one logical id, and one route is lost on AWS.
        if add(format!("{id}{part}Route")) {
            let problem = format!("`{key}` and another route both become the logical id `{id}{part}Route`");
            return Err(invalid(&format!("Resources.{id}.Properties.Routes"), problem));
        }
        add(format!("{id}{part}Integration"));
        add(format!("{id}{part}Permission"));
    }
    // SAM puts the stage's name into the stage's logical id where it is plain text.
    match &properties["StageName"] {
        Value::String(stage) if stage != "default" => add(format!("{id}{stage}Stage")),
        Value::Object(_) => add(format!("{id}Stage")),
        _ => add(format!("{id}DefaultStage")),
    };
    add(format!("{id}ConnectAuthorizer"));
    add(format!("{id}AuthorizerPermission"));
    Ok(generated)
}

/// The `RouteId`s that have an `AWS::ApiGatewayV2::RouteResponse` of the key `$default`.
pub(crate) fn route_responses(scope: &Scope) -> Result<BTreeSet<String>, TemplateError> {
    let mut routes = BTreeSet::new();
    for (id, resource) in &scope.resources {
        if names::resource_type(scope, id) != "AWS::ApiGatewayV2::RouteResponse" {
            continue;
        }
        let at = format!("Resources.{id}.Properties");
        let properties = Properties::of(scope.resolve(&resource["Properties"], &at)?, &at)?;
        properties.required_text("ApiId")?;
        let key = properties.required_text("RouteResponseKey")?;
        if key != "$default" {
            return Err(properties
                .wrong("RouteResponseKey", format!("`{key}` is not $default, the only key API Gateway takes")));
        }
        routes.insert(properties.required_text("RouteId")?);
    }
    Ok(routes)
}

pub(crate) fn api(
    scope: &Scope,
    id: &str,
    properties: &Properties,
    responses: &BTreeSet<String>,
) -> Result<WebSocketApi, TemplateError> {
    let stage = properties.text("StageName")?.unwrap_or_else(|| "default".to_owned());
    if stage.is_empty() || !stage.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Err(
            properties.wrong("StageName", format!("`{stage}` is not made of letters, digits, hyphens and underscores"))
        );
    }
    let mut routes = BTreeMap::new();
    let listed = properties.below("Routes")?;
    for (key, _) in listed.entries() {
        let special = ["$connect", "$disconnect", "$default"].contains(&key.as_str());
        if !special && (key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            let problem =
                "a route key is $connect, $disconnect, $default, or made of letters and digits: SAM takes no other";
            return Err(listed.wrong(key, problem));
        }
        routes.insert(key.clone(), route(scope, id, key, &listed.below(key)?, responses)?);
    }
    if routes.is_empty() {
        return Err(properties.wrong("Routes", "a WebSocket API needs at least one route"));
    }
    let authorizer = authorizer(scope, id, properties)?;
    if properties.get("Auth").is_some() && !routes.contains_key("$connect") {
        return Err(properties.wrong("Auth", "authorization needs a $connect route, and there is none"));
    }
    Ok(WebSocketApi {
        logical_id: id.to_owned(),
        id: names::api_id(scope, id),
        stage,
        route_selection_expression: properties.required_text("RouteSelectionExpression")?,
        authorizer,
        routes,
    })
}

fn route(
    scope: &Scope,
    api: &str,
    key: &str,
    properties: &Properties,
    responses: &BTreeSet<String>,
) -> Result<Route, TemplateError> {
    let selects = match properties.text("RouteResponseSelectionExpression")?.as_deref() {
        None => false,
        Some("$default") => true,
        Some(other) => {
            let problem = format!("`{other}` is not $default, the only expression API Gateway takes");
            return Err(properties.wrong("RouteResponseSelectionExpression", problem));
        }
    };
    let route_id = &scope.generated[&format!("{api}{}Route", names::capitalized(key))];
    let timeout = properties.number("IntegrationTimeout", 50..=29_000)?.unwrap_or(29_000);
    Ok(Route {
        key: key.to_owned(),
        function: function_of(scope, properties, "FunctionArn")?,
        response: selects && responses.contains(route_id),
        integration_timeout: Duration::from_millis(timeout),
    })
}

fn authorizer(scope: &Scope, id: &str, properties: &Properties) -> Result<Option<Authorizer>, TemplateError> {
    if properties.get("Auth").is_none() {
        return Ok(None);
    }
    let auth = properties.below("Auth")?;
    match auth.required_text("AuthType")?.as_str() {
        "NONE" => Ok(None),
        "CUSTOM" => Ok(Some(Authorizer {
            name: auth.text("Name")?.unwrap_or_else(|| format!("{id}ConnectAuthorizer")),
            function: function_of(scope, &auth, "AuthArn")?,
            identity_sources: auth.texts("IdentitySource")?,
        })),
        "AWS_IAM" => Err(auth.wrong("AuthType", "AWS_IAM is not supported here; use a Lambda authorizer (CUSTOM)")),
        other => Err(auth.wrong("AuthType", format!("`{other}` is not CUSTOM, AWS_IAM or NONE"))),
    }
}

/// The logical id of the function that a property's ARN names.
fn function_of(scope: &Scope, properties: &Properties, name: &str) -> Result<String, TemplateError> {
    let arn = properties.required_text(name)?;
    for id in scope.resources.keys().filter(|id| names::resource_type(scope, id) == "AWS::Serverless::Function") {
        if names::attribute(scope, id, "Arn", &properties.path(name), 0)? == arn {
            return Ok(id.clone());
        }
    }
    Err(properties
        .wrong(name, format!("`{arn}` is not the ARN of a function of this template (`!GetAtt <function>.Arn`)")))
}
