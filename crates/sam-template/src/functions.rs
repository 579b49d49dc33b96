//! `AWS::Serverless::Function`: its settings, its policies and the streams it reads.

use std::time::Duration;

use serde_json::Value;

use crate::intrinsics::{Scope, invalid, kind};
use crate::properties::Properties;
use crate::{
    DestinationKind, FailureDestination, Function, Policy, StartingPosition, Statement, StreamEvent, TemplateError,
    names,
};

pub(crate) fn function(scope: &Scope, id: &str, properties: &Properties) -> Result<Function, TemplateError> {
    let mut environment = std::collections::BTreeMap::new();
    let variables = properties.below("Environment")?.below("Variables")?;
    for (name, _) in variables.entries() {
        if let Some(value) = variables.text(name)? {
            environment.insert(name.clone(), value);
        }
    }
    let mut streams = Vec::new();
    let events = properties.below("Events")?;
    for (name, _) in events.entries() {
        let event = events.below(name)?;
        if event.required_text("Type")? == "DynamoDB" {
            streams.push(stream_event(scope, name, &event.below("Properties")?)?);
        }
    }
    Ok(Function {
        logical_id: id.to_owned(),
        name: names::name(scope, id, 0)?,
        arn: names::attribute(scope, id, "Arn", &properties.path("FunctionName"), 0)?,
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

fn policies(properties: &Properties) -> Result<Vec<Policy>, TemplateError> {
    let at = properties.path("Policies");
    let entries: Vec<Value> = match properties.get("Policies") {
        None => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    };
    entries.into_iter().enumerate().map(|(index, entry)| policy(entry, format!("{at}[{index}]"))).collect()
}

fn policy(entry: Value, at: String) -> Result<Policy, TemplateError> {
    match &entry {
        Value::String(name) => return Ok(Policy::Managed(name.clone())),
        Value::Object(map) => {
            let mut entries = map.iter().filter(|(name, _)| *name != "Statement");
            if let (1, Some((name, parameters))) = (map.len(), entries.next()) {
                return Ok(Policy::SamTemplate { name: name.clone(), parameters: parameters.clone() });
            }
        }
        other => return Err(invalid(&at, format!("a policy is a name or a mapping, not {}", kind(Some(other))))),
    }
    let document = Properties::of(Some(entry), at)?;
    let statements = match document.get("Statement") {
        None => return Err(document.wrong("Statement", "a policy document needs statements")),
        Some(Value::Array(_)) => document.mappings("Statement")?,
        Some(_) => vec![document.below("Statement")?],
    };
    statements.iter().map(statement).collect::<Result<_, _>>().map(Policy::Statements)
}

fn statement(properties: &Properties) -> Result<Statement, TemplateError> {
    for unsupported in ["NotAction", "NotResource"] {
        if properties.get(unsupported).is_some() {
            return Err(
                properties.wrong(unsupported, "name what is allowed instead: this grants too much to be checked")
            );
        }
    }
    let allow = match properties.required_text("Effect")?.as_str() {
        "Allow" => true,
        "Deny" => false,
        other => return Err(properties.wrong("Effect", format!("`{other}` is not Allow or Deny"))),
    };
    let (actions, resources) = (properties.texts("Action")?, properties.texts("Resource")?);
    if actions.is_empty() {
        return Err(properties.wrong("Action", "a statement names at least one action"));
    }
    if resources.is_empty() {
        return Err(properties.wrong("Resource", "a statement names at least one resource"));
    }
    let condition = properties.get("Condition").cloned().unwrap_or(Value::Null);
    Ok(Statement { sid: properties.text("Sid")?, allow, actions, resources, condition })
}

fn stream_event(scope: &Scope, name: &str, properties: &Properties) -> Result<StreamEvent, TemplateError> {
    let stream_arn = properties.required_text("Stream")?;
    let mut table = None;
    for id in scope.resources.keys().filter(|id| names::resource_type(scope, id) == "AWS::DynamoDB::Table") {
        let at = properties.path("Stream");
        if names::stream_arn(scope, &names::name(scope, id, 0)?) == stream_arn {
            // Asked for so that a table without a stream is an error here too.
            names::attribute(scope, id, "StreamArn", &at, 0)?;
            table = Some(id.clone());
        }
    }
    let table = table.ok_or_else(|| {
        properties.wrong(
            "Stream",
            format!("`{stream_arn}` is not the stream of a table of this template (`!GetAtt <table>.StreamArn`)"),
        )
    })?;
    let starting_position = match properties.required_text("StartingPosition")?.as_str() {
        "TRIM_HORIZON" => StartingPosition::TrimHorizon,
        "LATEST" => StartingPosition::Latest,
        other => return Err(properties.wrong("StartingPosition", format!("`{other}` is not TRIM_HORIZON or LATEST"))),
    };
    let batching_window = properties.number("MaximumBatchingWindowInSeconds", 0..=300)?.unwrap_or(0);
    let response_types = properties.texts("FunctionResponseTypes")?;
    if let Some(other) = response_types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
        return Err(properties.wrong("FunctionResponseTypes", format!("`{other}` is not ReportBatchItemFailures")));
    }
    // -1 is how the service itself writes "without end".
    let retries = properties.number("MaximumRetryAttempts", -1..=10_000)?;
    let age = properties.number("MaximumRecordAgeInSeconds", -1..=604_800)?;
    Ok(StreamEvent {
        name: name.to_owned(),
        stream_arn,
        table,
        starting_position,
        batch_size: properties.number("BatchSize", 1..=10_000)?.unwrap_or(100),
        batching_window: Duration::from_secs(batching_window),
        report_batch_item_failures: !response_types.is_empty(),
        bisect_on_error: properties.truth("BisectBatchOnFunctionError")?.unwrap_or(false),
        maximum_retry_attempts: retries.and_then(|attempts| u32::try_from(attempts).ok()),
        maximum_record_age: age.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
        filters: filters(&properties.below("FilterCriteria")?)?,
        on_failure: on_failure(&properties.below("DestinationConfig")?.below("OnFailure")?)?,
        parallelization_factor: properties.number("ParallelizationFactor", 1..=10)?.unwrap_or(1),
        enabled: properties.truth("Enabled")?.unwrap_or(true),
    })
}

fn filters(criteria: &Properties) -> Result<Vec<Value>, TemplateError> {
    let filters = criteria.mappings("Filters")?;
    if filters.len() > 5 {
        return Err(criteria.wrong("Filters", format!("Lambda takes at most five filters, not {}", filters.len())));
    }
    let mut patterns = Vec::new();
    for filter in filters {
        let pattern = filter.required_text("Pattern")?;
        match serde_json::from_str::<Value>(&pattern) {
            Ok(pattern @ Value::Object(_)) => patterns.push(pattern),
            Ok(_) => return Err(filter.wrong("Pattern", "an event pattern is a JSON object")),
            Err(error) => return Err(filter.wrong("Pattern", format!("this is not JSON: {error}"))),
        }
    }
    Ok(patterns)
}

fn on_failure(properties: &Properties) -> Result<Option<FailureDestination>, TemplateError> {
    let Some(arn) = properties.text("Destination")? else { return Ok(None) };
    let kind = match arn.split(':').nth(2) {
        Some("s3") => DestinationKind::Bucket,
        Some("sqs") => DestinationKind::Queue,
        Some("sns") => DestinationKind::Topic,
        _ => {
            return Err(properties.wrong(
                "Destination",
                format!("`{arn}` is not the ARN of an S3 bucket, an SQS queue or an SNS topic"),
            ));
        }
    };
    let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
    Ok(Some(FailureDestination { arn, name, kind }))
}
