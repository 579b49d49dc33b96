//! The events of type `DynamoDB` of a function: the streams that it reads.

use std::time::Duration;

use serde_json::Value;

use crate::properties::Properties;
use crate::resolver::Resolver;
use crate::{DestinationKind, FailureDestination, StartingPosition, StreamEvent, TemplateError};

pub(crate) fn stream_event(
    resolver: &Resolver,
    name: &str,
    properties: &Properties,
) -> Result<StreamEvent, TemplateError> {
    let stream_arn = properties.required_text("Stream")?;
    let table = table_of_stream(resolver, properties, &stream_arn)?;
    let starting_position = match properties.required_text("StartingPosition")?.as_str() {
        "TRIM_HORIZON" => StartingPosition::TrimHorizon,
        "LATEST" => StartingPosition::Latest,
        other => return Err(properties.error("StartingPosition", format!("`{other}` is not TRIM_HORIZON or LATEST"))),
    };
    let batching_window = properties.number("MaximumBatchingWindowInSeconds", 0..=300)?.unwrap_or(0);
    let response_types = properties.texts("FunctionResponseTypes")?;
    if let Some(other) = response_types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
        return Err(properties.error("FunctionResponseTypes", format!("`{other}` is not ReportBatchItemFailures")));
    }
    // -1 is how Lambda writes "unlimited".
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
        bisect_on_error: properties.boolean("BisectBatchOnFunctionError")?.unwrap_or(false),
        maximum_retry_attempts: retries.and_then(|attempts| u32::try_from(attempts).ok()),
        maximum_record_age: age.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
        filters: filters(&properties.nested("FilterCriteria")?)?,
        on_failure: on_failure(&properties.nested("DestinationConfig")?.nested("OnFailure")?)?,
        parallelization_factor: properties.number("ParallelizationFactor", 1..=10)?.unwrap_or(1),
        enabled: properties.boolean("Enabled")?.unwrap_or(true),
    })
}

fn table_of_stream(resolver: &Resolver, properties: &Properties, stream_arn: &str) -> Result<String, TemplateError> {
    for id in resolver.scope.resources_of_type("AWS::DynamoDB::Table") {
        if resolver.stream_arn(&resolver.name(id)?) == stream_arn {
            // Fails if the table has no stream.
            resolver.attribute(id, "StreamArn", &properties.path("Stream"))?;
            return Ok(id.clone());
        }
    }
    let problem = format!("`{stream_arn}` is not the stream of a table of this template (`!GetAtt <table>.StreamArn`)");
    Err(properties.error("Stream", problem))
}

fn filters(criteria: &Properties) -> Result<Vec<Value>, TemplateError> {
    let filters = criteria.mappings("Filters")?;
    if filters.len() > 5 {
        return Err(criteria.error("Filters", format!("Lambda accepts at most five filters, found {}", filters.len())));
    }
    let mut patterns = Vec::new();
    for filter in filters {
        let pattern = filter.required_text("Pattern")?;
        match serde_json::from_str::<Value>(&pattern) {
            Ok(pattern @ Value::Object(_)) => patterns.push(pattern),
            Ok(_) => return Err(filter.error("Pattern", "an event pattern must be a JSON object")),
            Err(error) => return Err(filter.error("Pattern", format!("invalid JSON: {error}"))),
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
            return Err(properties.error(
                "Destination",
                format!("`{arn}` is not the ARN of an S3 bucket, an SQS queue or an SNS topic"),
            ));
        }
    };
    let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
    Ok(Some(FailureDestination { arn, name, kind }))
}
