//! `AWS::Serverless::Function`

use std::collections::BTreeMap;
use std::time::Duration;

use crate::policies::policies;
use crate::properties::Properties;
use crate::resolver::Resolver;
use crate::stream_events::stream_event;
use crate::{Function, TemplateError};

pub(crate) fn function(resolver: &Resolver, id: &str, properties: &Properties) -> Result<Function, TemplateError> {
    let mut environment = BTreeMap::new();
    let variables = properties.nested("Environment")?.nested("Variables")?;
    for (name, _) in variables.entries() {
        if let Some(value) = variables.text(name)? {
            environment.insert(name.clone(), value);
        }
    }
    let mut streams = Vec::new();
    let events = properties.nested("Events")?;
    for (name, _) in events.entries() {
        let event = events.nested(name)?;
        if event.required_text("Type")? == "DynamoDB" {
            streams.push(stream_event(resolver, name, &event.nested("Properties")?)?);
        }
    }
    Ok(Function {
        logical_id: id.to_owned(),
        name: resolver.name(id)?,
        arn: resolver.attribute(id, "Arn", &properties.path("FunctionName"))?,
        code_uri: properties.required_text("CodeUri")?,
        handler: properties.text("Handler")?.unwrap_or_else(|| "bootstrap".to_owned()),
        runtime: properties.text("Runtime")?.unwrap_or_default(),
        timeout: Duration::from_secs(properties.number("Timeout", 1..=900)?.unwrap_or(3)),
        memory_mb: properties.number("MemorySize", 128..=10_240)?.unwrap_or(128),
        environment,
        policies: policies(properties)?,
        streams,
        reserved_concurrency: properties.number("ReservedConcurrentExecutions", 0..=1000)?,
    })
}
