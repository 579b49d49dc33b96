//! `AWS::Serverless::WebSocketApi`, as SAM's translator (1.109 and later) expands it, and
//! `AWS::ApiGatewayV2::RouteResponse`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::error::invalid;
use crate::identifiers::{capitalized, hex_id};
use crate::properties::Properties;
use crate::resolver::Resolver;
use crate::{Authorizer, Route, TemplateError, WebSocketApi};

/// The logical ids that SAM generates for an API, which other resources can refer to, with the value of their `Ref`.
pub(crate) fn generated_ids(id: &str, resource: &Value) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut generated = BTreeMap::new();
    let mut add = |id: String| generated.insert(id.clone(), hex_id(&id, 7)).is_some();
    let properties = &resource["Properties"];
    for (key, _) in properties["Routes"].as_object().into_iter().flatten() {
        let part = capitalized(key);
        // Two keys that differ only in case become one logical id, and one route is lost on AWS.
        if add(format!("{id}{part}Route")) {
            let problem = format!("`{key}` and another route both become the logical id `{id}{part}Route`");
            return Err(invalid(&format!("Resources.{id}.Properties.Routes"), problem));
        }
        add(format!("{id}{part}Integration"));
        add(format!("{id}{part}Permission"));
    }
    // SAM puts the stage's name into the stage's logical id if the name is plain text.
    match &properties["StageName"] {
        Value::String(stage) if stage != "default" => add(format!("{id}{stage}Stage")),
        Value::Object(_) => add(format!("{id}Stage")),
        _ => add(format!("{id}DefaultStage")),
    };
    add(format!("{id}ConnectAuthorizer"));
    add(format!("{id}AuthorizerPermission"));
    Ok(generated)
}

/// The ids of the routes that have an `AWS::ApiGatewayV2::RouteResponse` with the key `$default`.
pub(crate) fn route_responses(resolver: &Resolver) -> Result<BTreeSet<String>, TemplateError> {
    let mut routes = BTreeSet::new();
    for id in resolver.scope.resources_of_type("AWS::ApiGatewayV2::RouteResponse") {
        let properties = resolver.properties(id)?;
        properties.required_text("ApiId")?;
        let key = properties.required_text("RouteResponseKey")?;
        if key != "$default" {
            let problem = format!("`{key}` is not $default, the only key that API Gateway accepts");
            return Err(properties.error("RouteResponseKey", problem));
        }
        routes.insert(properties.required_text("RouteId")?);
    }
    Ok(routes)
}

pub(crate) fn api(
    resolver: &Resolver,
    id: &str,
    properties: &Properties,
    responses: &BTreeSet<String>,
) -> Result<WebSocketApi, TemplateError> {
    let stage = properties.text("StageName")?.unwrap_or_else(|| "default".to_owned());
    if stage.is_empty() || !stage.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        let problem = format!("`{stage}` may hold only letters, digits, hyphens and underscores");
        return Err(properties.error("StageName", problem));
    }
    let mut routes = BTreeMap::new();
    let listed = properties.nested("Routes")?;
    for (key, _) in listed.entries() {
        let special = ["$connect", "$disconnect", "$default"].contains(&key.as_str());
        if !special && (key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            let problem = "a route key is $connect, $disconnect, $default, or letters and digits; SAM accepts no other";
            return Err(listed.error(key, problem));
        }
        routes.insert(key.clone(), route(resolver, id, key, &listed.nested(key)?, responses)?);
    }
    if routes.is_empty() {
        return Err(properties.error("Routes", "a WebSocket API needs at least one route"));
    }
    let authorizer = authorizer(resolver, id, properties)?;
    if properties.get("Auth").is_some() && !routes.contains_key("$connect") {
        return Err(properties.error("Auth", "authorization needs a $connect route; add one"));
    }
    Ok(WebSocketApi {
        logical_id: id.to_owned(),
        id: resolver.api_id(id),
        stage,
        route_selection_expression: properties.required_text("RouteSelectionExpression")?,
        authorizer,
        routes,
    })
}

fn route(
    resolver: &Resolver,
    api: &str,
    key: &str,
    properties: &Properties,
    responses: &BTreeSet<String>,
) -> Result<Route, TemplateError> {
    let selects = match properties.text("RouteResponseSelectionExpression")?.as_deref() {
        None => false,
        Some("$default") => true,
        Some(other) => {
            let problem = format!("`{other}` is not $default, the only expression that API Gateway accepts");
            return Err(properties.error("RouteResponseSelectionExpression", problem));
        }
    };
    let route_id = &resolver.scope.generated[&format!("{api}{}Route", capitalized(key))];
    let timeout = properties.number("IntegrationTimeout", 50..=29_000)?.unwrap_or(29_000);
    Ok(Route {
        key: key.to_owned(),
        function: function_of(resolver, properties, "FunctionArn")?,
        response: selects && responses.contains(route_id),
        integration_timeout: Duration::from_millis(timeout),
    })
}

fn authorizer(resolver: &Resolver, id: &str, properties: &Properties) -> Result<Option<Authorizer>, TemplateError> {
    if properties.get("Auth").is_none() {
        return Ok(None);
    }
    let auth = properties.nested("Auth")?;
    match auth.required_text("AuthType")?.as_str() {
        "NONE" => Ok(None),
        "CUSTOM" => Ok(Some(Authorizer {
            name: auth.text("Name")?.unwrap_or_else(|| format!("{id}ConnectAuthorizer")),
            function: function_of(resolver, &auth, "AuthArn")?,
            identity_sources: auth.texts("IdentitySource")?,
        })),
        "AWS_IAM" => Err(auth.error("AuthType", "AWS_IAM is not supported; use a Lambda authorizer (CUSTOM)")),
        other => Err(auth.error("AuthType", format!("`{other}` is not CUSTOM, AWS_IAM or NONE"))),
    }
}

/// The logical id of the function that a property's ARN names.
fn function_of(resolver: &Resolver, properties: &Properties, name: &str) -> Result<String, TemplateError> {
    let arn = properties.required_text(name)?;
    for id in resolver.scope.resources_of_type("AWS::Serverless::Function") {
        if resolver.attribute(id, "Arn", &properties.path(name))? == arn {
            return Ok(id.clone());
        }
    }
    let problem = format!("`{arn}` is not the ARN of a function of this template (`!GetAtt <function>.Arn`)");
    Err(properties.error(name, problem))
}
